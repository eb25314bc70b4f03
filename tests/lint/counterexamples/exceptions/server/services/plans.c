int a; /* NOLINT */
int b; /* NOLINT(bugprone-branch-clone) */
int c; /* NOLINT(bugprone-branch-clone): the branches differ in a macro. */
