import CDisk
import MartletCore

/// What the system refused.
enum DiskFailure {
    /// What came of a call; throws what a negative result says.
    @discardableResult
    static func check<Number: SignedInteger>(
        _ result: Number, _ what: String, _ name: String
    ) throws(MartletError) -> Number {
        guard result < 0 else { return result }
        throw error(Int32(-result), what, name)
    }

    private static func error(_ number: Int32, _ what: String, _ name: String) -> MartletError {
        let reason = unsafe String(cString: strerror(number))
        switch number {
        case ENOSPC, EDQUOT:
            return MartletError(
                .resourceExhausted,
                "\(name) cannot be \(what): the disk is full. Make room: what was confirmed is "
                    + "kept, and publishing goes on when there is some.")
        case ENOENT:
            return MartletError(
                .failed, "\(name) cannot be \(what): it is not there. Name another folder.")
        case EACCES, EPERM, EROFS:
            return MartletError(
                .permissionDenied,
                "\(name) cannot be \(what): \(reason). Let this user write there, or choose "
                    + "another folder.")
        default:
            return MartletError(
                .failed, "\(name) cannot be \(what): \(reason). Look at the disk.",
                isRetriable: true)
        }
    }
}
