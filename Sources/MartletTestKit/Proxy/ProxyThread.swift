import MartletCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A thread that ends with what it runs.
enum ProxyThread {
    /// Keeps the work until its thread has it.
    private final class Work {
        let body: () -> Void

        init(_ body: @escaping () -> Void) { self.body = body }
    }

    static func run(_ body: @escaping @Sendable () -> Void) throws(MartletError) {
        let work = unsafe Unmanaged.passRetained(Work(body))
        #if canImport(Glibc)
            var thread = pthread_t()
        #else
            var thread: pthread_t?
        #endif
        // The thread takes the work over, which it alone releases.
        let status = unsafe pthread_create(
            &thread, nil,
            { pointer in
                #if canImport(Glibc)
                    let pointer = unsafe pointer.unsafelyUnwrapped
                #endif
                unsafe Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().body()
                return nil
            }, work.toOpaque())
        guard status == 0 else {
            unsafe work.release()
            throw MartletError(.resourceExhausted, "A proxy: no thread can be started.")
        }
        #if canImport(Glibc)
            pthread_detach(thread)
        #else
            if let thread { pthread_detach(thread) }
        #endif
    }
}
