# Designated initialisers leave out what has a default, which gcc 12 would warn about. At -O2 its
# flow analysis is wrong about std::string and std::optional (gcc bugs 105329 and 105562, among
# others): what it guesses there is shown, and only -Wrestrict, which is all noise, is off.
set(PAYMESH_WARNINGS -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -Werror
    -Wno-missing-field-initializers -Wno-restrict -Wno-error=maybe-uninitialized
    -Wno-error=array-bounds -Wno-error=stringop-overflow -Wno-error=stringop-overread
    -Wno-error=free-nonheap-object -Wno-error=dangling-pointer)
