"""Number text, formats, and the story of a rounding."""

SENTENCES = {
    "format.unknown": (
        "There is no format named “{name}”. Choose one from the table of formats, or spell one out, such as e5m10, "
        "int5 or posit12."
    ),
    # Number text that is none.
    "number.too-long": "The text has {length} characters; at most {limit} are read. Shorten it.",
    "number.empty": "There is no number here. Type one, such as 0.1, -3e-5, 0x1.8p3 or inf.",
    "number.unexpected-character": (
        "The character “{character}” at position {place} does not belong in a number. Remove it."
    ),
    "number.minus-sign": (
        "The character “{character}” at position {place} only looks like a minus sign. Type the hyphen “-” instead."
    ),
    "number.foreign-digit": (
        "The character “{character}” at position {place} cannot be read. Type the number with the digits 0 to 9 and "
        "plain letters."
    ),
    "number.separator": (
        "The character “{character}” at position {place} cannot stand in a number. Write the digits without "
        "separators, with a point as the decimal mark: 1234.5."
    ),
    "number.second-point": (
        "There is one point too many at position {place}. A number has at most one; an exponent and a 0b or 0o "
        "integer have none."
    ),
    "number.operator": (
        "The character “{character}” at position {place} cannot stand here. Numbers are joined by + - * / ^ and "
        "parentheses, with at most one sign before each."
    ),
    # Expressions.
    "number.double-star": "A power is written with ^, not with ** (position {place}). Type 2^3.",
    "number.operand-missing": "A number is missing after “{operator}” at position {place}. Add it.",
    "number.operator-missing": "An operator is missing at position {place}. Write * to multiply, as in 2*(3+4).",
    "number.parenthesis-open": (
        "The parenthesis opened at position {opened} is not closed. Add a “)” at position {place}."
    ),
    "number.parenthesis-close": "No parenthesis is open at position {place}. Remove the “)”.",
    "number.too-deep": (
        "Parentheses and powers are more than {limit} levels deep at position {place}. Write the expression flatter."
    ),
    "number.special-not-alone": (
        "Infinity and NaN are not part of an expression (position {place}). Type them alone, with a sign if needed."
    ),
    "number.division-by-zero": "Division by zero at position {place}. Change the number that is divided by.",
    "number.exponent-not-whole": "The exponent after ^ (position {place}) is not a whole number. Use a whole one.",
    "number.too-big": (
        "The result at position {place} would take too many digits to be written out exactly. Use smaller numbers, or "
        "powers of 2 and 10, which are never written out."
    ),
    "number.too-far-apart": (
        "The two numbers joined at position {place} differ too much in size for an exact sum. Leave out the smaller "
        "one, or bring them closer."
    ),
    "number.not-utf8": "The byte {byte} at position {place} is not UTF-8 text. Save the text as UTF-8.",
    "number.line-too-long": "The line is longer than {limit} characters. Shorten it.",
    "number.invisible-character": "There is an invisible character ({character}) at position {place}. Remove it.",
    "number.digits-missing": "Digits are missing at position {place}. A number has at least one digit.",
    "number.exponent-missing": (
        "The exponent after “{letter}” has no digits (position {place}). Write it in full, such as 1{letter}5, or "
        "remove the “{letter}”."
    ),
    "number.digit-of-base": (
        "The character “{character}” at position {place} is not a digit in base {base}. Correct the digit or the "
        "prefix."
    ),
    "number.payload": "The payload of the NaN cannot be read at position {place}. Write it as nan(0x123) or nan(291).",
    "number.signalling-payload": (
        "A signalling NaN cannot have payload 0: those bits would be infinity. Use snan or snan(0x1)."
    ),
    # What a format or mode cannot do.
    "number.no-nan": "{format} has no code for NaN. Choose a floating-point format, or another number.",
    "number.infinity-wrap": "Infinity has no remainder, so it cannot be wrapped into {format}. Choose saturate.",
    "rounding.unknown": "There is no rounding mode named “{name}”. Choose one of: {known}.",
    "rounding.stochastic": (
        "Stochastic rounding of a single number would give a different answer each time; it needs a seed and a "
        "tensor. Choose another mode."
    ),
    "overflow.unknown": "There is no overflow mode named “{name}”. Choose one of: {known}.",
    "overflow.not-for-format": "The overflow mode {name} does not fit {format}. Choose one of: {known}.",
    "code.hex": (
        "A code of {format} is 0x and {digits} hexadecimal digits ({width} bits). Type it in full, leading "
        "zeros included."
    ),
    "code.binary": (
        "A code of {format} is {width} binary digits, or 0x and {digits} hexadecimal digits. Type it in "
        "full, leading zeros included."
    ),
    "code.out-of-range": "A code of {format} has {width} bits; this one has more. Shorten it.",
    # Reading.
    "read.exact": "“{text}” is taken exactly as typed: nothing is rounded yet.",
    "read.value": "“{text}” means exactly {value}: nothing is rounded yet.",
    "read.nan": "“{text}” stands for NaN, “not a number”.",
    # Normalising.
    "normalise.exact": (
        "Written with a power of two, it is {sign}{significand} × 2^{exponent}; the significand is at least 1 and "
        "below 2."
    ),
    "normalise.about": (
        "Written with a power of two, it is about {sign}{significand} × 2^{exponent}; the significand is at least 1 "
        "and below 2."
    ),
    "reach.above": "It lies far above 2^{exponent}, the largest power of two in {format}: its digits do not matter.",
    "reach.below": (
        "It lies far below 2^{exponent}, the smallest positive number of {format}: its digits do not matter."
    ),
    "reach.below-smallest": (
        "Its power of two, 2^{exponent}, is below 2^{min_exponent}, the smallest number of {format}."
    ),
    "subnormal.shift": (
        "2^{exponent} is below 2^{min_exponent}, the smallest normal number. The exponent stays at {min_exponent}, "
        "the digit before the point becomes 0, and {bits} of {precision} significant bits are left: a subnormal."
    ),
    "subnormal.becomes-normal": (
        "Rounding up goes past the largest subnormal: the result is 2^{min_exponent}, the smallest normal number."
    ),
    # The cut and the decision.
    "cut.nothing": (
        "In binary the significand is {kept}: it fits into the {precision} significant bits of {format}, so "
        "nothing is cut off."
    ),
    "cut.bits": (
        "{format} keeps {places} bits after the point: {kept}. The rest is cut off: guard bit {guard}, round bit "
        "{round}, sticky bit {sticky} (1 if any later bit is 1)."
    ),
    "decide.below-half": "The part cut off is less than half of the last kept bit: round down, toward zero.",
    "decide.above-half": "The part cut off is more than half of the last kept bit: round up, away from zero.",
    "decide.tie-even-up": (
        "The part cut off is exactly half: a tie. The even neighbour wins; the code below ends in 1, so round up."
    ),
    "decide.tie-even-down": (
        "The part cut off is exactly half: a tie. The even neighbour wins; the code below ends in 0, so round down."
    ),
    "decide.tie-away": "The part cut off is exactly half: a tie, and this mode rounds ties away from zero.",
    "decide.toward-zero": "Toward zero: what is cut off is simply dropped.",
    "decide.toward-positive-up": "Toward +∞: the number is positive, so round up.",
    "decide.toward-positive-down": "Toward +∞: the number is negative, so its magnitude is rounded down.",
    "decide.toward-negative-up": "Toward −∞: the number is negative, so its magnitude is rounded up.",
    "decide.toward-negative-down": "Toward −∞: the number is positive, so round down.",
    "decide.to-odd-up": (
        "To odd: something is cut off and the code below ends in 0, so the odd neighbour above is taken."
    ),
    "decide.to-odd-down": "To odd: something is cut off and the code below already ends in 1, so it stays.",
    "decide.carry": (
        "All kept bits were 1, so the carry runs through: the significand becomes 1.0 and the exponent grows "
        "to {exponent}."
    ),
    # Out of range.
    "overflow.infinity": (
        "The largest number of {format} is {max}. The result lies beyond it: overflow, so infinity is stored."
    ),
    "overflow.nan": (
        "The largest number of {format} is {max}. The result lies beyond it, and the format has no infinity, "
        "so NaN is stored."
    ),
    "overflow.saturate": (
        "The largest number of {format} is {max}. The result lies beyond it and is held there: it saturates."
    ),
    "overflow.directed": (
        "The largest number of {format} is {max}. The result lies beyond it, and {rounding} rounds back to it."
    ),
    "underflow.zero": "The smallest positive number of {format} is {min}; this one is rounded to zero: underflow.",
    "underflow.smallest": "{format} has no zero: its smallest number, {min}, is the nearest.",
    "underflow.nan": "Below {min}, {format} has no zero to round down to, so NaN is stored.",
    # Storing.
    "store.normal": (
        "Stored: sign bit {sign}; exponent field {exponent} + {bias} = {field}; mantissa field {mantissa}, the bits "
        "after the point."
    ),
    "store.subnormal": (
        "Stored: sign bit {sign}; exponent field 0, the mark of subnormals; mantissa field {mantissa}, the bits "
        "after the point."
    ),
    "store.exponent": "Stored: the exponent alone, as {exponent} + {bias} = {field}; there is no sign and no mantissa.",
    "result.exact": "The stored number is {value}, exactly the number typed.",
    "result.rounded": "The stored number is {value}.",
    # Specials.
    "special.nan": "In {format}, NaN has codes of its own; the usual (quiet) one is stored.",
    "special.payload": (
        "NaN has many codes in {format}; the payload {payload} goes into the mantissa, below the quiet bit."
    ),
    "special.signalling": "In {format}, a signalling NaN has its top mantissa bit clear and another mantissa bit set.",
    "special.payload-dropped": "{format} has no code for this NaN; its usual NaN is stored.",
    "special.infinity": "Infinity in {format}: exponent field all ones, mantissa zero.",
    "special.infinity-nan": "{format} has no infinity, so NaN is stored.",
    "special.infinity-saturate": "Infinity is held at the end of the range of {format}: {value}.",
    "special.zero": "Zero in {format}: sign bit {sign}, exponent field and mantissa all zeros.",
    "special.no-zero": "{format} has no zero, so NaN is stored.",
    "special.no-negative-zero": (
        "{format} has only one zero: the code of minus zero means NaN there, so plain zero is stored."
    ),
    "special.negative": "{format} has no sign bit and no negative numbers, so NaN is stored.",
    # Integers.
    "integer.cut": "The whole part of the magnitude is {whole}; what follows the point must be rounded away.",
    "integer.saturate": (
        "{format} reaches from {min} to {max}. The number lies outside and is held at {value}: it saturates."
    ),
    "integer.wrap": (
        "{format} reaches from {min} to {max}. The number lies outside; only its last {width} bits are kept, "
        "which read {value}: it wraps around."
    ),
    "integer.infinity": "{format} reaches from {min} to {max} and has no infinity: it is held at {value}.",
    "integer.zero": "All {width} bits are 0: the number is 0.",
    "integer.weights": "The weights of the bits that are set add up: {terms} = {value}.",
    "integer.negative-weights": (
        "Two’s complement: the top bit weighs {top}, all others are positive. The weights of the bits that are set "
        "add up: {terms} = {value}."
    ),
    "bool.zero": "Zero is false: the bit is 0.",
    "bool.one": "Every number other than zero is true: the bit is 1.",
    # Reading a code.
    "code.positive": "The sign bit is 0: positive.",
    "code.negative": "The sign bit is 1: negative.",
    "code.normal-exponent": (
        "The exponent field is {field}; minus the bias {bias}, this gives the power of two 2^{exponent}."
    ),
    "code.subnormal-exponent": (
        "The exponent field is 0, the mark of zero and subnormals: the power of two is that of the smallest "
        "normal number, 2^{exponent}."
    ),
    "code.normal-mantissa": "The mantissa follows a 1 that is not stored: {bits} in binary, {significand} in decimal.",
    "code.subnormal-mantissa": "The mantissa follows a 0 here: {bits} in binary, {significand} in decimal.",
    "code.exponent-only": (
        "There is only an exponent field, {field}; minus the bias {bias}, this gives the number 2^{exponent}."
    ),
    "code.value": "Sign, power and significand multiplied give {value}.",
    "code.zero": "Exponent field and mantissa are all zeros: zero.",
    "code.infinity": "Exponent field all ones and mantissa zero: infinity in {format}.",
    "code.nan": "This code is set aside in {format} for NaN, “not a number”.",
    "code.bool": "The bit is {bit}: {value}.",
    # Why a library differs.
    "witness.refuses": "{library} refuses to store this number as {format}.",
    "witness.own-modes": (
        "{library} always uses its own rounding and overflow, here to nearest even, and gives {value}."
    ),
    "witness.truncates": "{library} drops what follows the point instead of rounding: {value}.",
    "witness.wraps": "{library} keeps only the last bits of numbers out of range: {value}.",
    "witness.saturates": "{library} stores the largest number, {value}, for numbers out of range.",
    "witness.overflow-nan": "{library} stores NaN for numbers out of range.",
    "witness.overflow-infinity": "{library} stores infinity for numbers out of range.",
    "witness.through-float64": (
        "{library} rounds twice: first the text to float64, then that to {format}. The first rounding loses "
        "what decides the second, and {value} comes out."
    ),
    "witness.through-float32": "{library} rounds first to float32, then to {format}: {value} comes out.",
    "witness.scale-zero": "{format} has no zero; {library} stores {value} for it.",
    "witness.scale-sign": "{format} has no sign; {library} drops the minus and stores {value}.",
    "witness.scale-lowest": "{library} rounds everything between the two smallest numbers of {format} up: {value}.",
    "witness.scale-tie-up": "{library} rounds a tie of {format} up to {value}, not to the even code.",
}
