# Types of tally.py for Cython. No character and no number is an object of its own.
import cython

@cython.locals(
    number=Py_ssize_t, pieces=Py_ssize_t, uncounted=Py_ssize_t, limit=Py_ssize_t, word=cython.ulonglong, power=cython.ulonglong, letter=cython.ulonglong,
    inside=bint, after_space=bint, char=Py_UCS4, point=Py_ssize_t,
)
cpdef tuple tally(
    str text, const unsigned long long[::1] letters, int[::1] counts, unsigned long long[::1] words,
    unsigned long long base, unsigned long long second, unsigned long long mask,
)
