#include "workload.h"

#include <stdlib.h>
#include <zmq.h>

uint64_t baseline_pair(uint64_t count, uint64_t burst, size_t size) {
    void *context = zmq_ctx_new();
    void *left = zmq_socket(context, ZMQ_PAIR);
    void *right = zmq_socket(context, ZMQ_PAIR);
    int failures = zmq_bind(left, "inproc://pair") != 0;
    failures += zmq_connect(right, "inproc://pair") != 0;
    uint64_t started = workload_now();
    zmq_msg_t message;
    for (uint64_t first = 0; first < count && failures == 0; first += burst) {
        for (uint64_t number = first; number < first + burst; number++) {
            failures += zmq_msg_init_size(&message, size) != 0;
            workload_fill(zmq_msg_data(&message), size, number, 0);
            failures += zmq_msg_send(&message, left, 0) < 0;
        }
        zmq_msg_init(&message);
        for (uint64_t number = first; number < first + burst; number++) {
            failures += zmq_msg_recv(&message, right, 0) < 0;
            failures += !workload_check(zmq_msg_data(&message), zmq_msg_size(&message), size,
                                        number);
        }
        zmq_msg_close(&message);
    }
    uint64_t elapsed = workload_now() - started;
    zmq_close(left);
    zmq_close(right);
    zmq_ctx_term(context);
    return failures == 0 ? elapsed : 0;
}

static int ascending(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

uint64_t workload_percentile(uint64_t *samples, size_t count, double fraction) {
    if (count == 0)
        return 0;
    qsort(samples, count, sizeof *samples, ascending);
    size_t place = (size_t)(fraction * (double)count);
    return samples[place < count ? place : count - 1];
}
