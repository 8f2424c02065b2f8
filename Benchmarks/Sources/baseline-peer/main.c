// One end of a two-process benchmark over raw libzmq: receives or sends `count` messages of `size`
// bytes, one part each. What it writes to standard output and reads from standard input is
// described in Benchmarks/README.md; martlet-peer speaks the same.

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "workload.h"

static void fail(const char *what) {
    fprintf(stderr, "baseline-peer: %s: %s\n", what, zmq_strerror(errno));
    exit(1);
}

static void wait_for_line(void) {
    char line[64];
    if (!fgets(line, sizeof line, stdin))
        exit(0);
}

static void send_one(void *socket, size_t size, uint64_t number, uint64_t sent_at) {
    zmq_msg_t message;
    if (zmq_msg_init_size(&message, size) != 0)
        fail("zmq_msg_init_size");
    workload_fill(zmq_msg_data(&message), size, number, sent_at);
    if (zmq_msg_send(&message, socket, 0) < 0)
        fail("zmq_msg_send");
}

static void wait_until(uint64_t instant) {
    struct timespec when = {(time_t)(instant / 1000000000u), (long)(instant % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR)
        ;
}

static void send_all(void *socket, uint64_t count, size_t size, uint64_t interval) {
    uint64_t next = workload_now();
    for (uint64_t number = 0; number < count; number++) {
        if (interval > 0) {
            next += interval;
            wait_until(next);
        }
        send_one(socket, size, number, interval > 0 ? workload_now() : 0);
    }
}

// Writes a file of all messages, and returns it from its beginning.
static FILE *write_file(uint64_t count, size_t size) {
    FILE *file = tmpfile();
    char *payload = malloc(size);
    if (file == NULL || payload == NULL)
        fail("tmpfile");
    for (uint64_t number = 0; number < count; number++) {
        workload_fill(payload, size, number, 0);
        if (fwrite(payload, size, 1, file) != 1)
            fail("fwrite");
    }
    free(payload);
    fflush(file);
    rewind(file);
    return file;
}

// Reads the file in pieces of 64 KiB, and sends each of its messages.
static void send_file(void *socket, FILE *file, size_t size) {
    size_t each = 65536 / size, read;
    char *piece = malloc(each * size);
    while ((read = fread(piece, size, each, file)) > 0) {
        for (size_t place = 0; place < read; place++) {
            zmq_msg_t message;
            if (zmq_msg_init_size(&message, size) != 0)
                fail("zmq_msg_init_size");
            memcpy(zmq_msg_data(&message), piece + place * size, size);
            if (zmq_msg_send(&message, socket, 0) < 0)
                fail("zmq_msg_send");
        }
    }
    free(piece);
    fclose(file);
}

// A subscription takes effect some time after the connection: probes are sent until the receiver
// has seen one and the go has come.
static void send_probes(void *socket, size_t size) {
    struct pollfd input = {.fd = 0, .events = POLLIN};
    while (poll(&input, 1, 1) == 0)
        send_one(socket, size, WORKLOAD_PROBE, 0);
}

static void run_sender(void *socket, int is_pub, uint64_t count, size_t size, uint64_t interval,
                       FILE *file) {
    if (is_pub)
        send_probes(socket, size);
    wait_for_line();
    uint64_t cpu = workload_cpu();
    if (file != NULL)
        send_file(socket, file, size);
    else
        send_all(socket, count, size, interval);
    wait_for_line();
    printf("sent %llu\n", (unsigned long long)(workload_cpu() - cpu));
    fflush(stdout);
}

static void run_receiver(void *socket, int is_sub, uint64_t count, size_t size, int is_timed) {
    zmq_msg_t message;
    zmq_msg_init(&message);
    uint64_t *delays = is_timed ? calloc(count, sizeof *delays) : NULL;
    uint64_t number = 0, wrong = 0, started = 0, cpu = 0;
    int has_joined = !is_sub;
    if (has_joined)
        puts("joined"), fflush(stdout);
    while (number < count) {
        if (zmq_msg_recv(&message, socket, 0) < 0)
            fail("zmq_msg_recv");
        const void *data = zmq_msg_data(&message);
        size_t received = zmq_msg_size(&message);
        if (is_sub && workload_number(data, received) == WORKLOAD_PROBE) {
            if (!has_joined)
                puts("joined"), fflush(stdout);
            has_joined = 1;
            continue;
        }
        if (number == 0)
            started = workload_now(), cpu = workload_cpu();
        if (is_timed)
            delays[number] = workload_now() - workload_sent_at(data, received);
        wrong += !workload_check(data, received, size, number);
        number++;
    }
    uint64_t elapsed = workload_now() - started;
    printf("received %llu %llu %llu %llu %llu\n", (unsigned long long)elapsed,
           (unsigned long long)(workload_cpu() - cpu), (unsigned long long)wrong,
           (unsigned long long)(is_timed ? workload_percentile(delays, count, 0.5) : 0),
           (unsigned long long)(is_timed ? workload_percentile(delays, count, 0.99) : 0));
    fflush(stdout);
    zmq_msg_close(&message);
    free(delays);
}

// Takes messages, appends each to a plain file, synchronizes, and answers.
static void run_store_server(void *socket, uint64_t count, size_t size) {
    char path[] = "/tmp/martlet-baseline-XXXXXX";
    int file = mkstemp(path);
    if (file < 0)
        fail("mkstemp");
    unlink(path);
    wait_for_line();
    uint64_t cpu = workload_cpu();
    zmq_msg_t route, message;
    zmq_msg_init(&route);
    zmq_msg_init(&message);
    for (uint64_t number = 0; number < count; number++) {
        if (zmq_msg_recv(&route, socket, 0) < 0 || zmq_msg_recv(&message, socket, 0) < 0)
            fail("zmq_msg_recv");
        if (!workload_check(zmq_msg_data(&message), zmq_msg_size(&message), size, number))
            fail("a message is not what was sent");
        if (write(file, zmq_msg_data(&message), size) != (ssize_t)size || fdatasync(file) != 0)
            fail("fdatasync");
        if (zmq_msg_send(&route, socket, ZMQ_SNDMORE) < 0 || zmq_send(socket, &number, 8, 0) < 0)
            fail("zmq_send");
    }
    wait_for_line();
    printf("sent %llu\n", (unsigned long long)(workload_cpu() - cpu));
    fflush(stdout);
    close(file);
}

// Sends a message, and the next when it has been answered.
static void run_store_client(void *socket, uint64_t count, size_t size) {
    puts("joined"), fflush(stdout);
    uint64_t wrong = 0, started = workload_now(), cpu = workload_cpu();
    for (uint64_t number = 0; number < count; number++) {
        uint64_t answer = 0;
        send_one(socket, size, number, 0);
        if (zmq_recv(socket, &answer, sizeof answer, 0) < 0)
            fail("zmq_recv");
        wrong += answer != number;
    }
    printf("received %llu %llu %llu 0 0\n", (unsigned long long)(workload_now() - started),
           (unsigned long long)(workload_cpu() - cpu), (unsigned long long)wrong);
    fflush(stdout);
}

#define WORKERS 2
#define WORK_WINDOW 1000
#define WORK_ACKS 64

// Sends each event to the worker that its key belongs to, as long as that has less than a window
// unacknowledged.
static void run_work_source(void *socket, uint64_t count, size_t size, uint64_t interval) {
    zmq_msg_t routes[WORKERS], route;
    uint64_t out[WORKERS] = {0}, acked = 0, next;
    for (int worker = 0; worker < WORKERS; worker++) {
        char ready[8];
        zmq_msg_init(&routes[worker]);
        if (zmq_msg_recv(&routes[worker], socket, 0) < 0 || zmq_recv(socket, ready, 8, 0) < 0)
            fail("zmq_msg_recv");
    }
    wait_for_line();
    for (uint64_t worker = 0; worker < WORKERS; worker++) {
        zmq_msg_init(&route);
        zmq_msg_copy(&route, &routes[worker]);
        if (zmq_msg_send(&route, socket, ZMQ_SNDMORE) < 0 || zmq_send(socket, &worker, 8, 0) < 0)
            fail("zmq_send");
    }
    uint64_t started = workload_now(), cpu = workload_cpu();
    next = started;
    for (uint64_t number = 0; acked < count;) {
        uint64_t worker = number % WORKERS;
        int is_blocked = number == count || out[worker] >= WORK_WINDOW;
        uint64_t answer[2];
        zmq_msg_init(&route);
        int got = is_blocked || number % WORK_ACKS == 0
                      ? zmq_msg_recv(&route, socket, is_blocked ? 0 : ZMQ_DONTWAIT)
                      : -1;
        if (got >= 0) {
            if (zmq_recv(socket, answer, sizeof answer, 0) != sizeof answer)
                fail("zmq_recv");
            out[answer[0]] -= answer[1];
            acked += answer[1];
        }
        zmq_msg_close(&route);
        if (number == count || out[worker] >= WORK_WINDOW)
            continue;
        if (interval > 0) {
            next += interval;
            wait_until(next);
        }
        zmq_msg_init(&route);
        zmq_msg_copy(&route, &routes[worker]);
        if (zmq_msg_send(&route, socket, ZMQ_SNDMORE) < 0)
            fail("zmq_msg_send");
        send_one(socket, size, number, interval > 0 ? workload_now() : 0);
        out[worker]++;
        number++;
    }
    printf("handled %llu %llu\n", (unsigned long long)(workload_now() - started),
           (unsigned long long)(workload_cpu() - cpu));
    fflush(stdout);
    for (int worker = 0; worker < WORKERS; worker++) {
        zmq_msg_init(&route);
        zmq_msg_copy(&route, &routes[worker]);
        if (zmq_msg_send(&route, socket, ZMQ_SNDMORE) < 0 || zmq_send(socket, "", 0, 0) < 0)
            fail("zmq_send");
    }
    wait_for_line();
}

// Checks each event, and acknowledges them in batches: at once where none follows.
static void run_work_worker(void *socket, uint64_t count, size_t size, int is_timed) {
    uint64_t cpu = workload_cpu(), worker, done = 0, wrong = 0, unsaid = 0;
    uint64_t *delays = is_timed ? calloc(count, sizeof *delays) : NULL;
    zmq_msg_t message;
    if (zmq_send(socket, "ready", 5, 0) < 0)
        fail("zmq_send");
    puts("joined"), fflush(stdout);
    if (zmq_recv(socket, &worker, sizeof worker, 0) != sizeof worker)
        fail("zmq_recv");
    zmq_msg_init(&message);
    for (;;) {
        int got = zmq_msg_recv(&message, socket, unsaid > 0 ? ZMQ_DONTWAIT : 0);
        if (got == 0)
            break;
        if (got > 0) {
            const void *data = zmq_msg_data(&message);
            if (is_timed)
                delays[done] = workload_now() - workload_sent_at(data, (size_t)got);
            wrong += !workload_check(data, (size_t)got, size, worker + done * WORKERS);
            done++, unsaid++;
        } else if (errno != EAGAIN) {
            fail("zmq_msg_recv");
        }
        if (unsaid == WORK_ACKS || (got < 0 && unsaid > 0)) {
            uint64_t answer[2] = {worker, unsaid};
            if (zmq_send(socket, answer, sizeof answer, 0) < 0)
                fail("zmq_send");
            unsaid = 0;
        }
    }
    wait_for_line();
    printf("worked %llu %llu %llu %llu %llu\n", (unsigned long long)done,
           (unsigned long long)wrong, (unsigned long long)(workload_cpu() - cpu),
           (unsigned long long)(is_timed ? workload_percentile(delays, done, 0.5) : 0),
           (unsigned long long)(is_timed ? workload_percentile(delays, done, 0.99) : 0));
    fflush(stdout);
    free(delays);
}

// Sends each event to whoever pulls next.
static void run_push_source(void *socket, uint64_t count, size_t size) {
    wait_for_line();
    uint64_t started = workload_now(), cpu = workload_cpu();
    for (uint64_t number = 0; number < count; number++)
        send_one(socket, size, number, 0);
    printf("sent %llu %llu\n", (unsigned long long)started,
           (unsigned long long)(workload_cpu() - cpu));
    fflush(stdout), wait_for_line();
}

// Checks each event that it gets, until nothing comes for half a second.
static void run_push_worker(void *socket, size_t size) {
    uint64_t cpu = workload_cpu(), done = 0, wrong = 0, last = 0;
    int patience = 500, got;
    zmq_msg_t message;
    zmq_msg_init(&message), puts("joined"), fflush(stdout);
    while ((got = zmq_msg_recv(&message, socket, 0)) >= 0) {
        const void *data = zmq_msg_data(&message);
        wrong += !workload_check(data, (size_t)got, size, workload_number(data, (size_t)got));
        if (done++ == 0)
            zmq_setsockopt(socket, ZMQ_RCVTIMEO, &patience, sizeof patience);
        if (done % 256 == 0)
            last = workload_now();
    }
    printf("worked %llu %llu %llu %llu\n", (unsigned long long)done, (unsigned long long)wrong,
           (unsigned long long)(workload_cpu() - cpu), (unsigned long long)last);
    fflush(stdout), zmq_msg_close(&message);
}

static void *open_socket(void *context, const char *role) {
    int type = !strcmp(role, "push")   ? ZMQ_PUSH
               : !strcmp(role, "pull") ? ZMQ_PULL
               : !strcmp(role, "pub")  ? ZMQ_PUB
               : !strcmp(role, "file") ? ZMQ_PUB
               : !strcmp(role, "store-server") ? ZMQ_ROUTER
               : !strcmp(role, "store-client") ? ZMQ_DEALER
               : !strcmp(role, "push-pub") ? ZMQ_PUSH
               : !strcmp(role, "push-sub") ? ZMQ_PULL
               : !strcmp(role, "work-pub") ? ZMQ_ROUTER
               : !strcmp(role, "work-sub") ? ZMQ_DEALER
                                       : ZMQ_SUB;
    void *socket = zmq_socket(context, type);
    int mark = 1000, immediate = 1, one = 1;
    // A ROUTER drops what finds no room; the window bounds what waits.
    if (!strncmp(role, "work-", 5))
        mark = 0;
    zmq_setsockopt(socket, ZMQ_SNDHWM, &mark, sizeof mark);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &mark, sizeof mark);
    zmq_setsockopt(socket, ZMQ_IMMEDIATE, &immediate, sizeof immediate);
    if (type == ZMQ_PUB && zmq_setsockopt(socket, ZMQ_XPUB_NODROP, &one, sizeof one) != 0)
        fail("ZMQ_XPUB_NODROP");
    if (type == ZMQ_SUB)
        zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0);
    return socket;
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fprintf(stderr, "usage: baseline-peer push|pull|pub|file|sub|store-server|store-client"
                        "|work-pub|work-sub|push-pub|push-sub ENDPOINT COUNT SIZE INTERVAL_NS\n");
        return 2;
    }
    const char *role = argv[1], *endpoint = argv[2];
    uint64_t count = strtoull(argv[3], NULL, 10), interval = strtoull(argv[5], NULL, 10);
    size_t size = strtoull(argv[4], NULL, 10);
    void *context = zmq_ctx_new();
    void *socket = open_socket(context, role);
    int is_server = !strcmp(role, "store-server");
    int is_source = !strcmp(role, "work-pub"), is_pusher = !strcmp(role, "push-pub");
    if (is_server || is_source || is_pusher || !strcmp(role, "push") || !strcmp(role, "pub") ||
        !strcmp(role, "file")) {
        FILE *file = !strcmp(role, "file") ? write_file(count, size) : NULL;
        char bound[256];
        size_t length = sizeof bound;
        if (zmq_bind(socket, endpoint) != 0)
            fail("zmq_bind");
        zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &length);
        printf("bound %s\n", bound);
        fflush(stdout);
        if (is_server)
            run_store_server(socket, count, size);
        else if (is_pusher)
            run_push_source(socket, count, size);
        else if (is_source)
            run_work_source(socket, count, size, interval);
        else
            run_sender(socket, strcmp(role, "push") != 0, count, size, interval, file);
    } else {
        if (zmq_connect(socket, endpoint) != 0)
            fail("zmq_connect");
        if (!strcmp(role, "store-client"))
            run_store_client(socket, count, size);
        else if (!strcmp(role, "push-sub"))
            run_push_worker(socket, size);
        else if (!strcmp(role, "work-sub"))
            run_work_worker(socket, count, size, interval > 0);
        else
            run_receiver(socket, !strcmp(role, "sub"), count, size, interval > 0);
    }
    zmq_close(socket);
    zmq_ctx_term(context);
    return 0;
}
