// What gcc 14's headers call and Debian 11's libstdc++ does not have yet (GLIBCXX_3.4.29). Linked into each
// module that needs it, hidden, so that the wheels run with the libstdc++ of manylinux_2_28.
#include <new>

namespace std {
[[noreturn]] __attribute__((visibility("hidden"))) void __throw_bad_array_new_length() {
    throw bad_array_new_length();
}
}  // namespace std
