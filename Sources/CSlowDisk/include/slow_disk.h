// A library for LD_PRELOAD that makes a program's disk slow: each fdatasync and fsync takes so much
// longer as a file says, which MARTLET_SLOW_DISK names: microseconds, a number of 64 bits in the
// order of the machine. The file is looked at each time, so that whoever writes it commands a
// program that runs. Linux alone.
