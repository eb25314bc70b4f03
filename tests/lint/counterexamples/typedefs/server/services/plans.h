typedef struct status (*plan_fn)(struct ctx *cx); /* a function: fine */

typedef struct plan plan_t;

typedef struct {
    void (*fn)(void);
} plan_hook;
