#include "base/queue.h"

#include <pthread.h>

#include "base/heap.h"

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    size_t max;
    size_t head; /* the next to be taken */
    size_t depth;
    size_t waiting; /* takers asleep */
    bool closed;
    void *items[];
};

struct queue *queue_new(size_t max)
{
    struct queue *queue = NULL;
    size_t bytes = 0;

    if (__builtin_mul_overflow(max, sizeof queue->items[0], &bytes) ||
        __builtin_add_overflow(bytes, sizeof *queue, &bytes)) {
        return NULL;
    }
    queue = heap_new(bytes);
    if (queue == NULL) {
        return NULL;
    }
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->filled, NULL);
    queue->max = max;
    return queue;
}

void queue_free(struct queue *queue)
{
    if (queue == NULL) {
        return;
    }
    pthread_cond_destroy(&queue->filled);
    pthread_mutex_destroy(&queue->lock);
    heap_free(queue);
}

bool queue_put(struct queue *queue, void *item)
{
    bool put = false;
    bool wake = false;

    pthread_mutex_lock(&queue->lock);
    if (!queue->closed && queue->depth < queue->max) {
        size_t tail = queue->head + queue->depth;

        queue->items[tail < queue->max ? tail : tail - queue->max] = item;
        queue->depth++;
        put = true;
        wake = queue->waiting > 0;
    }
    pthread_mutex_unlock(&queue->lock);
    if (wake) {
        pthread_cond_signal(&queue->filled);
    }
    return put;
}

void *queue_take(struct queue *queue)
{
    void *item = NULL;

    return queue_take_many(queue, &item, 1) == 1 ? item : NULL;
}

size_t queue_take_many(struct queue *queue, void **ret_items, size_t max)
{
    size_t count = 0;

    pthread_mutex_lock(&queue->lock);
    while (queue->depth == 0 && !queue->closed) {
        queue->waiting++;
        pthread_cond_wait(&queue->filled, &queue->lock);
        queue->waiting--;
    }
    while (count < max && queue->depth > 0) {
        ret_items[count++] = queue->items[queue->head];
        queue->head = queue->head + 1 < queue->max ? queue->head + 1 : 0;
        queue->depth--;
    }
    pthread_mutex_unlock(&queue->lock);
    return count;
}

void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_mutex_unlock(&queue->lock);
    pthread_cond_broadcast(&queue->filled);
}

size_t queue_depth(struct queue *queue)
{
    size_t depth = 0;

    pthread_mutex_lock(&queue->lock);
    depth = queue->depth;
    pthread_mutex_unlock(&queue->lock);
    return depth;
}
