// CURVE keys and Z85, the printable form of their 32 bytes.

#ifndef MARTLET_CZEROMQ_SECURITY_H
#define MARTLET_CZEROMQ_SECURITY_H

#define ZEROMQ_KEY_BYTES 32
#define ZEROMQ_KEY_CHARACTERS 40

// A new pair of keys, each as 40 characters and a terminating zero. -ENOTSUP when libzmq was built
// without CURVE.
static inline int zeromq_curve_keypair(char public_key[41], char secret_key[41]) {
    return zmq_curve_keypair(public_key, secret_key) == 0 ? 0 : -errno;
}

static inline int zeromq_curve_public(char public_key[41], const char *secret_key) {
    return zmq_curve_public(public_key, secret_key) == 0 ? 0 : -errno;
}

// `size` must divide by 4; `text` has room for size * 5 / 4 characters and a zero.
static inline int zeromq_z85_encode(char *text, const uint8_t *bytes, size_t size) {
    return zmq_z85_encode(text, bytes, size) ? 0 : -errno;
}

// The length of `text` must divide by 5; `bytes` has room for length * 4 / 5.
static inline int zeromq_z85_decode(uint8_t *bytes, const char *text) {
    return zmq_z85_decode(bytes, text) ? 0 : -errno;
}

#endif
