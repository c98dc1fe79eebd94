// Run when the build image is made, with the newer libstdc++ and with the old one: does liblater.a do what it says?
#include <chrono>
#include <exception>
#include <future>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

static int alive = 0;
struct Counted : std::runtime_error {
    Counted() : std::runtime_error("x") { ++alive; }
    Counted(const Counted& other) : std::runtime_error(other) { ++alive; }
    ~Counted() override { --alive; }
};

static int caught_copies() {
    std::exception_ptr first, second;
    try { throw Counted(); } catch (...) { first = std::current_exception(); }
    second = first;
    first = nullptr;
    int caught = 0;
    for (int turn = 0; turn < 3; ++turn) {
        try { std::rethrow_exception(std::exception_ptr(second)); } catch (std::runtime_error& error) {
            caught += alive == 1 && error.what()[0] == 'x';
        }
    }
    return caught;
}

int main() {
    using std::chrono::milliseconds;
    std::promise<int> promise;
    auto future = promise.get_future();
    std::thread other([&] { std::this_thread::sleep_for(milliseconds(50)); promise.set_value(3); });
    const bool late = future.wait_for(milliseconds(5)) == std::future_status::timeout;
    const int got = future.get();
    other.join();
    std::string text(100, 'x');
    text.replace(3, 90, text, 50, 20);
    text.resize(3);
    text.shrink_to_fit();
    std::ostringstream made;
    made << "later: " << 1;
    std::stringstream both;
    both << made.str();
    std::cout << both.str() << late << got << caught_copies() << text << std::endl;
    return !(late && got == 3 && caught_copies() == 3 && alive == 0 && text == "xxx" && both.str() == "later: 1" && std::cout.good());
}
