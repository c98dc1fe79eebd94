// What gcc 14's headers and code call and the libstdc++ of manylinux_2_28 (gcc 8, GLIBCXX_3.4.25) does not have yet.
// Linked into each module that needs it and exported by none, so that the wheels run there.
#include <cerrno>
#include <cstdint>
#include <cxxabi.h>
#include <exception>
#include <linux/futex.h>
#include <new>
#include <sstream>
#include <string>
#include <sys/syscall.h>
#include <typeinfo>
#include <unistd.h>

namespace std {

// GLIBCXX_3.4.29
[[noreturn]] void __throw_bad_array_new_length() { throw bad_array_new_length(); }

}  // namespace std

namespace __cxxabiv1 {

// CXXABI_1.3.15: an exception that leaves a noexcept function counts as caught, then the handler runs.
extern "C" [[noreturn]] void __cxa_call_terminate(void* thrown) noexcept {
    if (thrown) __cxa_begin_catch(thrown);
    std::terminate();
}

}  // namespace __cxxabiv1

// CXXABI_1.3.13: counting the holders of an exception. What older libraries offer instead (copying and destroying
// an exception_ptr) is inline in newer headers and would call back here. Before the thrown object stands the header
// of the Itanium C++ ABI, before that libstdc++'s count, the same since gcc 4.5.
struct Header {
    int holders;
    struct alignas(16) {
        std::type_info* type;
        void (*destroy)(void*);
        void* handlers_and_next[3];
        int counts[2];
        void* found[4];
        alignas(16) char unwinding[32];
    } exception;
};
static_assert(sizeof(Header) == 128, "as __cxa_allocate_exception has it on 64-bit machines");

static Header* header_of(void* thrown) { return static_cast<Header*>(thrown) - 1; }

extern "C" void add_reference(void** self) noexcept __asm__("_ZNSt15__exception_ptr13exception_ptr9_M_addrefEv");
extern "C" void add_reference(void** self) noexcept {
    if (*self) __atomic_add_fetch(&header_of(*self)->holders, 1, __ATOMIC_ACQ_REL);
}

extern "C" void release(void** self) noexcept __asm__("_ZNSt15__exception_ptr13exception_ptr10_M_releaseEv");
extern "C" void release(void** self) noexcept {
    void* thrown = *self;
    *self = nullptr;
    if (!thrown || __atomic_sub_fetch(&header_of(thrown)->holders, 1, __ATOMIC_ACQ_REL) != 0) return;
    if (header_of(thrown)->exception.destroy) header_of(thrown)->exception.destroy(thrown);
    __cxxabiv1::__cxa_free_exception(thrown);
}

// GLIBCXX_3.4.29: waits until `*word` is no longer `value` (true), or the steady clock has come so far (false).
extern "C" bool wait_until_steady(void*, unsigned* word, unsigned value, bool bounded, int64_t seconds,
                                  int64_t nanoseconds) __asm__("_ZNSt28__atomic_futex_unsigned_base26_M_futex_"
                                                               "wait_until_steadyEPjjbNSt6chrono8durationIlSt5r"
                                                               "atioILl1ELl1EEEENS2_IlS3_ILl1ELl1000000000EEEE");
extern "C" bool wait_until_steady(void*, unsigned* word, unsigned value, bool bounded, int64_t seconds,
                                  int64_t nanoseconds) {
    struct { int64_t seconds, nanoseconds; } until = {seconds, nanoseconds};
    if (bounded && seconds < 0) return false;
    // The bit set form takes its time as a point of the steady clock. Not private, because those who wake are not.
    const long done = syscall(SYS_futex, word, FUTEX_WAIT_BITSET, value, bounded ? &until : nullptr, nullptr,
                              FUTEX_BITSET_MATCH_ANY);
    return done == 0 || errno != ETIMEDOUT;
}

// Members of strings that became functions of their own in GLIBCXX_3.4.29 to 3.4.32.
template void std::string::reserve();
template void std::wstring::reserve();
template void std::string::_M_replace_cold(char*, size_type, const char*, size_type, size_type);
template void std::wstring::_M_replace_cold(wchar_t*, size_type, const wchar_t*, size_type, size_type);
template char* std::string::_S_allocate(std::allocator<char>&, size_type);
template wchar_t* std::wstring::_S_allocate(std::allocator<wchar_t>&, size_type);

// Streams into strings without arguments, GLIBCXX_3.4.26.
template std::ostringstream::basic_ostringstream();
template std::istringstream::basic_istringstream();
template std::stringstream::basic_stringstream();

// Their text in C++20, which tells lvalues from rvalues, GLIBCXX_3.4.29.
template std::string std::stringbuf::str() const&;
template std::string std::ostringstream::str() const&;
template std::string std::istringstream::str() const&;
template std::string std::stringstream::str() const&;
template std::string std::stringbuf::str() &&;
template std::string std::ostringstream::str() &&;
template std::string std::istringstream::str() &&;
template std::string std::stringstream::str() &&;
