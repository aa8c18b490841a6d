# Types of walk.py for Cython. No byte and no number is an object of its own.
import cython

@cython.locals(
    at=Py_ssize_t, begun=Py_ssize_t, size=Py_ssize_t, text=Py_ssize_t, number=Py_ssize_t, language=Py_ssize_t,
    languages=Py_ssize_t, feature=int, log=double,
)
cpdef walk(
    const unsigned char[::1] data, const long long[::1] ends, const unsigned int[::1] moves, const unsigned int[::1] rows,
    const int[::1] outputs, const float[:, ::1] weights, const double[::1] logs, int[::1] counts, int[::1] path,
    double[:, ::1] scores,
)

@cython.locals(
    at=Py_ssize_t, part=Py_ssize_t, first=int, second=int, third=int, fourth=int,
)
cdef void _states(
    const unsigned char[::1] data, Py_ssize_t begun, Py_ssize_t size, const unsigned int[::1] moves,
    const unsigned int[::1] rows, int[::1] path,
) noexcept
