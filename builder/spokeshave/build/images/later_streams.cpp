// Since gcc 13 <iostream> leaves it to the library (GLIBCXX_3.4.32) to set up std::cout and its like, and asks for
// this function so that no older library is taken. Older ones want to be told by everyone who prints.
#include <ios>

namespace std {

static ios_base::Init streams __attribute__((init_priority(101)));

void ios_base_library_init() {}

}  // namespace std
