/* UTF-8 validation. */
#include "core/base/bytes.h"

/* Length of the sequence that starts with `lead`, and the range its second byte must be in (RFC
 * 3629, section 4). */
static size_t sequence(uint8_t lead, uint8_t *ret_low, uint8_t *ret_high)
{
    *ret_low = 0x80;
    *ret_high = 0xBF;
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
        return 2;
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        *ret_low = lead == 0xE0 ? 0xA0 : 0x80;
        *ret_high = lead == 0xED ? 0x9F : 0xBF;
        return 3;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        *ret_low = lead == 0xF0 ? 0x90 : 0x80;
        *ret_high = lead == 0xF4 ? 0x8F : 0xBF;
        return 4;
    }
    return 0;
}

bool bytes_are_utf8(struct bytes text)
{
    size_t at = 0;
    while (at < text.size) {
        uint8_t low;
        uint8_t high;
        size_t length = sequence(text.data[at], &low, &high);
        if (length == 0 || length > text.size - at) {
            return false;
        }
        for (size_t i = 1; i < length; i++) {
            uint8_t byte = text.data[at + i];
            if (byte < (i == 1 ? low : 0x80) || byte > (i == 1 ? high : 0xBF)) {
                return false;
            }
        }
        at += length;
    }
    return true;
}
