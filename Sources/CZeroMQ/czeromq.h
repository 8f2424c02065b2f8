// The C shim over libzmq: everything that Swift cannot call well, and nothing else.
//
// Swift calls most of libzmq directly. What is here are macros, pointers into option buffers, and
// calls whose `errno` must be read before Swift's runtime can disturb it: those return a value of
// zero or more, or the negative errno. All of it is inline, so that a call costs what it costs in
// C.
//
// Works with libzmq 4.3.4 and later 4.3 releases, built with or without drafts.

#ifndef MARTLET_CZEROMQ_H
#define MARTLET_CZEROMQ_H

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <zmq.h>

#if ZMQ_VERSION < ZMQ_MAKE_VERSION(4, 3, 4)
#error "Martlet needs libzmq 4.3.4 or later: install libzmq3-dev from Debian 12 or newer"
#endif

// `Message` holds a zmq_msg_t inline and moves it bit by bit, which libzmq permits for as long as
// the size and the alignment are these.
static_assert(sizeof(zmq_msg_t) == 64, "zmq_msg_t is not 64 bytes: Message cannot hold it inline");
static_assert(sizeof(zmq_pollitem_t) <= 24, "zmq_pollitem_t is larger than any known platform's");

// The few calls on the path of every message, which Swift must not call through another function.
#define ZEROMQ_INLINE static inline __attribute__((always_inline))

#include "memory.h"
#include "message.h"
#include "socket.h"
#include "monitor.h"
#include "security.h"
#include "wakeup.h"
#include "wait.h"
#include "ipc.h"
#include "thread.h"

#endif
