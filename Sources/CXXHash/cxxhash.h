// XXH3 with 64 bits: the checksum of frames and the hash that assigns keys to lanes.

#ifndef MARTLET_CXXHASH_H
#define MARTLET_CXXHASH_H

#include <xxhash.h>

#if XXH_VERSION_NUMBER < 800
#error "Martlet needs xxHash 0.8.0 or later: install libxxhash-dev from Debian 12 or newer"
#endif

#endif
