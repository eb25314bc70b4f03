#include "sandbox/proration.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "sandbox/invoice.h"
#include "sandbox/price.h"
#include "sandbox/product.h"
#include "sandbox/sim.h"
#include "sandbox/subscription.h"

/* amount * (end - at) / (end - start), halves away from zero. */
static int64_t rest_of(int64_t amount, const struct subscription_item *item, int64_t at_s)
{
    const int64_t whole_s = item->end_s - item->start_s;
    const int64_t rest_s = item->end_s - at_s;

    if (whole_s <= 0 || rest_s <= 0) {
        return 0;
    }
    return atoms_round((atoms)amount * rest_s * ATOMS_PER_MINOR / whole_s);
}

static void fill(
    struct sim *sim,
    const struct subscription_item *item,
    const char *words,
    int64_t at_s,
    struct invoice_line *ret_line)
{
    *ret_line = (struct invoice_line){
        .description = sim_text(
            sim,
            arena_printf(
                sim->cx->arena,
                "%s %lld × %s",
                words,
                (long long)item->quantity,
                item->price->product->name)),
        .item_id = item->id,
        .price = item->price,
        .quantity = item->quantity,
        .start_s = at_s,
        .end_s = item->end_s,
        .proration = true,
    };
}

size_t proration_lines(
    struct sim *sim,
    const struct subscription_item *old_item,
    const struct subscription_item *new_item,
    int64_t at_s,
    struct invoice_line ret_lines[2])
{
    size_t count = 0;

    if (old_item != NULL && !old_item->price->metered && old_item->debited != 0) {
        fill(sim, old_item, "Unused time on", at_s, &ret_lines[count]);
        ret_lines[count++].amount = -rest_of(old_item->debited, old_item, at_s);
    }
    if (new_item != NULL && !new_item->price->metered) {
        fill(sim, new_item, "Remaining time on", at_s, &ret_lines[count]);
        ret_lines[count++].amount =
            rest_of(price_amount(new_item->price, new_item->quantity), new_item, at_s);
    }
    return count;
}
