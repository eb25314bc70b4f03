// A comment of the other kind.

/* TODO: write this. */

/* TODO(#12): has a number. */
