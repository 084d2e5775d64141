/* not_money.h - texts that no way in may take for an amount: catalog, forms, documents of a buyer. */
#ifndef NOT_MONEY_H
#define NOT_MONEY_H

static const char *const not_money[] = {
    "1e9", "1E9", "1e-2", "0x10", "0X1P3", "010h", "NaN", "nan", "inf", "Infinity", "-Infinity", "1,000", "1,000.00", "1.000,00",
    "12,50", "1 000", "1'000", "1_000", "1.2.3", "1..2", ".5", "5.", ".", "-", "--1", "+1", "1-", "$12", "12 USD", "1/2", "50%", "abc",
    "1000000000000000000",              /* 19 digits */
    "99999999999999999999999999999999999999999999999999", "0.000000001", "9999999999.999999999",
    "\xd9\xa1", "\xef\xbc\x91", "1\xc2\xa0" "000", "\xe2\x88\x92" "1" };       /* digits, a blank and a minus of other scripts */
enum { NOT_MONEY = sizeof(not_money) / sizeof(not_money[0]) };

#endif
