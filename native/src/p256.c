#include "p256.h"

#ifndef __SIZEOF_INT128__

bool p256_has_tables(void) { return false; }
size_t p256_table_bytes(void) { return 0; }
struct p256_table *p256_table_make(const uint8_t point[2 * P256_BYTES]) {
  (void)point;
  return NULL;
}
void p256_table_free(struct p256_table *table) { (void)table; }
bool p256_is_good(const struct p256_table *table, const uint8_t e[P256_BYTES], const uint8_t r[P256_BYTES],
                  const uint8_t s[P256_BYTES]) {
  (void)table;
  (void)e;
  (void)r;
  (void)s;
  return false;
}

#else

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

__extension__ typedef unsigned __int128 u128;
__extension__ typedef __int128 i128;

/* *sum = a + b + carry. Gives what is carried on. Compilers make no chain of additions out of wider numbers. */
static inline unsigned char add_limb(unsigned char carry, uint64_t a, uint64_t b, uint64_t *sum) {
#ifdef __x86_64__
  unsigned long long whole;
  carry = _addcarry_u64(carry, a, b, &whole);
  *sum = whole;
  return carry;
#else
  u128 whole = (u128)a + b + carry;
  *sum = (uint64_t)whole;
  return (unsigned char)(whole >> 64);
#endif
}

/* *difference = a - b - borrow. Gives what is borrowed. */
static inline unsigned char subtract_limb(unsigned char borrow, uint64_t a, uint64_t b, uint64_t *difference) {
#ifdef __x86_64__
  unsigned long long whole;
  borrow = _subborrow_u64(borrow, a, b, &whole);
  *difference = whole;
  return borrow;
#else
  u128 whole = (u128)a - b - borrow;
  *difference = (uint64_t)whole;
  return (unsigned char)(whole >> 64) & 1;
#endif
}

/* --- Numbers of 256 bits: four limbs, the lowest first. ------------------------------------------------------------- */

typedef struct {
  uint64_t limb[4];
} number;

/* SEC 2, section 2.4.2: y^2 = x^3 - 3x + b over the prime, with points as many as the order. */
static const number PRIME = {{0xffffffffffffffff, 0x00000000ffffffff, 0, 0xffffffff00000001}};
static const number ORDER = {{0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff, 0xffffffff00000000}};
static const number CURVE_B = {{0x3bce3c3e27d2604b, 0x651d06b0cc53b0f6, 0xb3ebbd55769886bc, 0x5ac635d8aa3a93e7}};
static const uint8_t GENERATOR[2 * P256_BYTES] = {
    0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2,
    0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
    0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16,
    0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};
/* -1 / ORDER modulo 2^64; that of the prime is 1. */
#define ORDER_INVERSE 0xccd1c8aaee00bc4fULL

static number read_number(const uint8_t bytes[P256_BYTES]) {
  number read;
  for (int i = 0; i < 4; i++) {
    uint64_t limb = 0;
    for (int j = 0; j < 8; j++) limb = limb << 8 | bytes[8 * (3 - i) + j];
    read.limb[i] = limb;
  }
  return read;
}

static inline bool is_zero(const number *a) { return (a->limb[0] | a->limb[1] | a->limb[2] | a->limb[3]) == 0; }

static inline bool is_equal(const number *a, const number *b) {
  return ((a->limb[0] ^ b->limb[0]) | (a->limb[1] ^ b->limb[1]) | (a->limb[2] ^ b->limb[2]) |
          (a->limb[3] ^ b->limb[3])) == 0;
}

/* a + b, and what is carried out of it. */
static inline uint64_t add_limbs(number *sum, const number *a, const number *b) {
  unsigned char carry = add_limb(0, a->limb[0], b->limb[0], &sum->limb[0]);
  carry = add_limb(carry, a->limb[1], b->limb[1], &sum->limb[1]);
  carry = add_limb(carry, a->limb[2], b->limb[2], &sum->limb[2]);
  return add_limb(carry, a->limb[3], b->limb[3], &sum->limb[3]);
}

/* a - b, and what is borrowed for it: 0 or 1. */
static inline uint64_t subtract_limbs(number *difference, const number *a, const number *b) {
  unsigned char borrow = subtract_limb(0, a->limb[0], b->limb[0], &difference->limb[0]);
  borrow = subtract_limb(borrow, a->limb[1], b->limb[1], &difference->limb[1]);
  borrow = subtract_limb(borrow, a->limb[2], b->limb[2], &difference->limb[2]);
  return subtract_limb(borrow, a->limb[3], b->limb[3], &difference->limb[3]);
}

static bool is_below(const number *a, const number *b) {
  number unused;
  return subtract_limbs(&unused, a, b) == 1;
}

/* The number 2^256 * high + a, which is below twice the modulus, modulo it. */
static inline void reduce_once(number *a, uint64_t high, const number *modulus) {
  number less;
  uint64_t borrow = subtract_limbs(&less, a, modulus);
  uint64_t keep = 0 - (uint64_t)(high < borrow); /* it was below the modulus */
  for (int i = 0; i < 4; i++) a->limb[i] = (a->limb[i] & keep) | (less.limb[i] & ~keep);
}

static inline void add_modulo(number *sum, const number *a, const number *b, const number *modulus) {
  uint64_t carry = add_limbs(sum, a, b);
  reduce_once(sum, carry, modulus);
}

/* --- The field: numbers modulo the prime, in Montgomery's form (times 2^256), always below the prime. --------------- */

static inline void add(number *sum, const number *a, const number *b) { add_modulo(sum, a, b, &PRIME); }

static inline void subtract(number *difference, const number *a, const number *b) {
  uint64_t borrow = subtract_limbs(difference, a, b);
  number missing;
  for (int i = 0; i < 4; i++) missing.limb[i] = PRIME.limb[i] & (0 - borrow);
  add_limbs(difference, difference, &missing);
}

/*
 * One row of a product: t, which is below 2^320, becomes (t + a * factor + m * prime) / 2^64, with the m that makes it whole.
 * That m is the lowest limb itself, since the prime is -1 modulo 2^64; and of m * prime + m, which is
 * m * (2^256 - 2^224 + 2^192 + 2^96), the lowest limb is nothing.
 */
static inline void add_row(uint64_t t[5], const number *a, uint64_t factor) {
  u128 p0 = (u128)a->limb[0] * factor, p1 = (u128)a->limb[1] * factor;
  u128 p2 = (u128)a->limb[2] * factor, p3 = (u128)a->limb[3] * factor;
  uint64_t r1, r2, r3, r4, m, top;
  unsigned char carry = add_limb(0, (uint64_t)p1, (uint64_t)(p0 >> 64), &r1);
  carry = add_limb(carry, (uint64_t)p2, (uint64_t)(p1 >> 64), &r2);
  carry = add_limb(carry, (uint64_t)p3, (uint64_t)(p2 >> 64), &r3);
  add_limb(carry, 0, (uint64_t)(p3 >> 64), &r4);
  carry = add_limb(0, t[0], (uint64_t)p0, &m);
  carry = add_limb(carry, t[1], r1, &r1);
  carry = add_limb(carry, t[2], r2, &r2);
  carry = add_limb(carry, t[3], r3, &r3);
  top = add_limb(carry, t[4], r4, &r4);

  u128 upper = (u128)m * PRIME.limb[3];
  carry = add_limb(0, r1, m << 32, &t[0]);
  carry = add_limb(carry, r2, m >> 32, &t[1]);
  carry = add_limb(carry, r3, (uint64_t)upper, &t[2]);
  carry = add_limb(carry, r4, (uint64_t)(upper >> 64), &t[3]);
  add_limb(carry, top, 0, &t[4]);
}

/* a * b / 2^256 */
static inline void multiply(number *product, const number *a, const number *b) {
  uint64_t t[5] = {0};
  add_row(t, a, b->limb[0]);
  add_row(t, a, b->limb[1]);
  add_row(t, a, b->limb[2]);
  add_row(t, a, b->limb[3]);
  *product = (number){{t[0], t[1], t[2], t[3]}};
  reduce_once(product, t[4], &PRIME);
}

static inline void square(number *product, const number *a) { multiply(product, a, a); }

static inline void twice(number *sum, const number *a) { add(sum, a, a); }

/* 1 / a by Fermat: a^(p - 2). Only for making tables. */
static void invert(number *inverse, const number *a, const number *one) {
  number exponent = PRIME;
  exponent.limb[0] -= 2;
  number result = *one;
  for (int bit = 255; bit >= 0; bit--) {
    square(&result, &result);
    if (exponent.limb[bit / 64] >> (bit % 64) & 1) multiply(&result, &result, a);
  }
  *inverse = result;
}

/* --- Scalars: numbers modulo the order. ----------------------------------------------------------------------------- */

/* a * b / 2^256 modulo the order, both below it. */
static void multiply_scalars(number *product, const number *a, const number *b) {
  uint64_t t[5] = {0};
  for (int i = 0; i < 4; i++) {
    u128 sum = 0;
    for (int j = 0; j < 4; j++) {
      sum += (u128)a->limb[j] * b->limb[i] + t[j];
      t[j] = (uint64_t)sum;
      sum >>= 64;
    }
    u128 high = (u128)t[4] + (uint64_t)sum;
    uint64_t m = t[0] * ORDER_INVERSE;
    sum = ((u128)m * ORDER.limb[0] + t[0]) >> 64;
    for (int j = 1; j < 4; j++) {
      sum += (u128)m * ORDER.limb[j] + t[j];
      t[j - 1] = (uint64_t)sum;
      sum >>= 64;
    }
    high += (uint64_t)sum;
    t[3] = (uint64_t)high;
    t[4] = (uint64_t)(high >> 64);
  }
  *product = (number){{t[0], t[1], t[2], t[3]}};
  reduce_once(product, t[4], &ORDER);
}

/* Numbers with a sign, in two's complement. Intermediate values of invert_scalar stay within two orders. */
typedef struct {
  uint64_t limb[5];
} signed_number;

/* (u * a + v * b) / 2^62, which is known to be whole. |u| + |v| is at most 2^62. */
static void combine(signed_number *result, int64_t u, const signed_number *a, int64_t v, const signed_number *b,
                    uint64_t multiple) {
  uint64_t wide[6];
  i128 carry = 0;
  u128 order_carry = 0;
  for (int i = 0; i < 5; i++) {
    /* The upper limbs have the sign; the lower ones are taken as they are. */
    bool is_top = i == 4;
    i128 one = is_top ? (i128)(int64_t)a->limb[i] * u : (i128)((u128)a->limb[i] * (uint64_t)(u < 0 ? -u : u));
    i128 other = is_top ? (i128)(int64_t)b->limb[i] * v : (i128)((u128)b->limb[i] * (uint64_t)(v < 0 ? -v : v));
    if (!is_top && u < 0) one = -one;
    if (!is_top && v < 0) other = -other;
    order_carry += (u128)multiple * (i < 4 ? ORDER.limb[i] : 0);
    carry += one;
    carry += other;
    carry += (i128)(uint64_t)order_carry;
    order_carry >>= 64;
    wide[i] = (uint64_t)carry;
    carry >>= 64;
  }
  wide[5] = (uint64_t)carry;
  for (int i = 0; i < 5; i++) result->limb[i] = wide[i] >> 62 | wide[i + 1] << 2;
}

/*
 * 62 steps of Bernstein and Yang's division ("Fast constant-time gcd computation and modular inversion", 2019) on the
 * lowest limbs, taken in variable time. `matrix` is what they come to, times 2^62.
 */
static int64_t divide_steps(int64_t delta, uint64_t f, uint64_t g, int64_t matrix[4]) {
  uint64_t u = 1, v = 0, q = 0, r = 1;
  for (int left = 62;;) {
    int zeros = __builtin_ctzll(g | 1ULL << left);
    g >>= zeros;
    u <<= zeros;
    v <<= zeros;
    left -= zeros;
    delta += zeros;
    if (left == 0) break;
    if (delta > 0) {
      uint64_t f_before = f, u_before = u, v_before = v;
      f = g;
      u = q;
      v = r;
      g -= f_before;
      q -= u_before;
      r -= v_before;
      delta = -delta;
    } else {
      g += f;
      q += u;
      r += v;
    }
  }
  matrix[0] = (int64_t)u;
  matrix[1] = (int64_t)v;
  matrix[2] = (int64_t)q;
  matrix[3] = (int64_t)r;
  return delta;
}

/* The multiple of the order that makes u * a + v * b divisible by 2^62. */
static uint64_t completing(int64_t u, const signed_number *a, int64_t v, const signed_number *b) {
  uint64_t lowest = (uint64_t)u * a->limb[0] + (uint64_t)v * b->limb[0];
  return lowest * ORDER_INVERSE & ((1ULL << 62) - 1);
}

/* 1 / a modulo the order. `a` is neither 0 nor above the order. The caller checks it: a * inverse must be 1. */
static void invert_scalar(number *inverse, const number *a) {
  signed_number f = {{ORDER.limb[0], ORDER.limb[1], ORDER.limb[2], ORDER.limb[3], 0}};
  signed_number g = {{a->limb[0], a->limb[1], a->limb[2], a->limb[3], 0}};
  signed_number d = {{0}}, e = {{1}};
  int64_t delta = 1;
  /* 741 steps are enough for numbers of 256 bits. */
  for (int round = 0; round < 12; round++) {
    int64_t t[4];
    delta = divide_steps(delta, f.limb[0], g.limb[0], t);
    signed_number before = f;
    combine(&f, t[0], &before, t[1], &g, 0);
    combine(&g, t[2], &before, t[3], &g, 0);
    before = d;
    combine(&d, t[0], &before, t[1], &e, completing(t[0], &before, t[1], &e));
    combine(&e, t[2], &before, t[3], &e, completing(t[2], &before, t[3], &e));
    if ((g.limb[0] | g.limb[1] | g.limb[2] | g.limb[3] | g.limb[4]) == 0) break;
  }
  /* f is 1 or -1 and d, a few orders away from where it belongs, the inverse or its negative. */
  bool is_negative = f.limb[4] >> 63;
  for (int i = 0; i < 32 && (d.limb[4] >> 63 || d.limb[4] != 0); i++) {
    number low = {{d.limb[0], d.limb[1], d.limb[2], d.limb[3]}};
    if (d.limb[4] >> 63) d.limb[4] += add_limbs(&low, &low, &ORDER);
    else d.limb[4] -= subtract_limbs(&low, &low, &ORDER);
    memcpy(d.limb, low.limb, sizeof low.limb);
  }
  number low = {{d.limb[0], d.limb[1], d.limb[2], d.limb[3]}};
  reduce_once(&low, 0, &ORDER);
  if (is_negative) subtract_limbs(&low, &ORDER, &low);
  *inverse = low;
}

/* --- Points. -------------------------------------------------------------------------------------------------------- */

/* x and y, both of the field. Never infinity. As long as a line of the cache. */
typedef struct {
  number x, y;
} affine;

/* x / z^2 and y / z^3; infinity where z is 0. */
typedef struct {
  number x, y, z;
} point;

static void double_point(point *sum, const point *a) {
  number delta, gamma, beta, alpha, t;
  square(&delta, &a->z);
  square(&gamma, &a->y);
  multiply(&beta, &a->x, &gamma);
  subtract(&t, &a->x, &delta);
  add(&delta, &a->x, &delta);
  multiply(&alpha, &t, &delta);
  twice(&t, &alpha);
  add(&alpha, &alpha, &t); /* 3 (x - z^2) (x + z^2) */
  multiply(&t, &a->y, &a->z);
  twice(&sum->z, &t);
  twice(&beta, &beta);
  twice(&beta, &beta); /* 4 x y^2 */
  square(&t, &alpha);
  subtract(&t, &t, &beta);
  subtract(&sum->x, &t, &beta);
  square(&gamma, &gamma);
  twice(&gamma, &gamma);
  twice(&gamma, &gamma);
  twice(&gamma, &gamma); /* 8 y^4 */
  subtract(&beta, &beta, &sum->x);
  multiply(&t, &alpha, &beta);
  subtract(&sum->y, &t, &gamma);
}

/* *a += b, all cases of it: either may be the other, or its negative. */
static void add_affine(point *a, const affine *b, const number *one) {
  if (is_zero(&a->z)) {
    *a = (point){b->x, b->y, *one};
    return;
  }
  number z2, h, r, h2, h3, v, t;
  square(&z2, &a->z);
  multiply(&h, &b->x, &z2);
  multiply(&t, &b->y, &a->z);
  multiply(&r, &t, &z2);
  subtract(&h, &h, &a->x);
  subtract(&r, &r, &a->y);
  if (is_zero(&h)) {
    point same = *a;
    if (is_zero(&r)) double_point(a, &same);
    else *a = (point){*one, *one, {{0}}};
    return;
  }
  square(&h2, &h);
  multiply(&h3, &h, &h2);
  multiply(&v, &a->x, &h2);
  multiply(&t, &a->z, &h);
  a->z = t;
  square(&t, &r);
  subtract(&t, &t, &h3);
  subtract(&t, &t, &v);
  subtract(&a->x, &t, &v);
  subtract(&v, &v, &a->x);
  multiply(&t, &r, &v);
  multiply(&v, &a->y, &h3);
  subtract(&a->y, &t, &v);
}

/* --- Tables: of each power 2^(bits * window) of a point the multiples 1 to 2^(bits - 1). ---------------------------- */

#define MAX_WINDOW_BITS 8
#define MAX_WINDOWS 43
#define MULTIPLES(bits) ((size_t)1 << ((bits) - 1))
/* Windows for numbers below 2^255. */
#define WINDOWS(bits) ((255 + (bits) - 1) / (bits))

#define GENERATOR_BITS 8
#define KEY_BITS 6

struct p256_table {
  affine entries[WINDOWS(KEY_BITS) * MULTIPLES(KEY_BITS)];
};

/* Made once and the same for all threads; nobody writes to it afterwards. */
static struct {
  pthread_once_t once;
  bool is_made;
  /* Of the field: 1, 2^256 and b. Of the scalars: 2^512 modulo the order. */
  number one, square_of_radix, b, scalar_square_of_radix;
  affine generator[WINDOWS(GENERATOR_BITS) * MULTIPLES(GENERATOR_BITS)] __attribute__((aligned(64)));
} shared = {.once = PTHREAD_ONCE_INIT};

static void make_square_of_radix(number *made, const number *modulus) {
  *made = (number){{1, 0, 0, 0}};
  for (int i = 0; i < 512; i++) add_modulo(made, made, made, modulus);
}

/* y^2 = x^3 - 3 x z^4 + b z^6 */
static bool is_on_curve(const point *a) {
  number z2, z4, z6, left, right, t;
  square(&z2, &a->z);
  square(&z4, &z2);
  multiply(&z6, &z4, &z2);
  square(&left, &a->y);
  square(&t, &a->x);
  multiply(&right, &t, &a->x);
  multiply(&t, &a->x, &z4);
  subtract(&right, &right, &t);
  subtract(&right, &right, &t);
  subtract(&right, &right, &t);
  multiply(&t, &shared.b, &z6);
  add(&right, &right, &t);
  return is_equal(&left, &right);
}

/* Makes all z one with a single inversion. None is infinity. */
static void normalize(const point *points, size_t count, affine *made) {
  number products[MULTIPLES(MAX_WINDOW_BITS) + 1];
  number inverse, t, z, z2;
  products[0] = points[0].z;
  for (size_t i = 1; i < count; i++) multiply(&products[i], &products[i - 1], &points[i].z);
  invert(&inverse, &products[count - 1], &shared.one);
  for (size_t i = count; i-- > 0;) {
    if (i > 0) multiply(&z, &inverse, &products[i - 1]);
    else z = inverse;
    multiply(&t, &inverse, &points[i].z);
    inverse = t;
    square(&z2, &z);
    multiply(&made[i].x, &points[i].x, &z2);
    multiply(&t, &z2, &z);
    multiply(&made[i].y, &points[i].y, &t);
  }
}

static void fill(affine *entries, int bits, const affine *of) {
  point row[MULTIPLES(MAX_WINDOW_BITS) + 1];
  affine made[MULTIPLES(MAX_WINDOW_BITS) + 1];
  size_t multiples = MULTIPLES(bits);
  affine base = *of;
  for (int window = 0; window < WINDOWS(bits); window++) {
    row[0] = (point){base.x, base.y, shared.one};
    for (size_t i = 1; i < multiples; i++) {
      row[i] = row[i - 1];
      add_affine(&row[i], &base, &shared.one);
    }
    double_point(&row[multiples], &row[multiples - 1]); /* what the next window begins with */
    normalize(row, multiples + 1, made);
    memcpy(entries + (size_t)window * multiples, made, multiples * sizeof *made);
    base = made[multiples];
  }
}

/* x || y as a point of the field; false when it is not on the curve. */
static bool read_point(affine *read, const uint8_t bytes[2 * P256_BYTES]) {
  number x = read_number(bytes), y = read_number(bytes + P256_BYTES);
  if (!is_below(&x, &PRIME) || !is_below(&y, &PRIME)) return false;
  multiply(&read->x, &x, &shared.square_of_radix);
  multiply(&read->y, &y, &shared.square_of_radix);
  point whole = {read->x, read->y, shared.one};
  return is_on_curve(&whole);
}

static void make_shared(void) {
  const number one = {{1, 0, 0, 0}};
  affine generator;
  make_square_of_radix(&shared.square_of_radix, &PRIME);
  make_square_of_radix(&shared.scalar_square_of_radix, &ORDER);
  multiply(&shared.one, &one, &shared.square_of_radix);
  multiply(&shared.b, &CURVE_B, &shared.square_of_radix);
  shared.is_made = read_point(&generator, GENERATOR);
  if (shared.is_made) fill(shared.generator, GENERATOR_BITS, &generator);
}

bool p256_has_tables(void) { return true; }

size_t p256_table_bytes(void) { return sizeof(struct p256_table); }

struct p256_table *p256_table_make(const uint8_t bytes[2 * P256_BYTES]) {
  affine of;
  void *table = NULL;
  if (pthread_once(&shared.once, make_shared) != 0 || !shared.is_made || !read_point(&of, bytes)) return NULL;
  if (posix_memalign(&table, 64, sizeof(struct p256_table)) != 0) return NULL;
  fill(((struct p256_table *)table)->entries, KEY_BITS, &of);
  return table;
}

void p256_table_free(struct p256_table *table) { free(table); }

/* --- Verification. -------------------------------------------------------------------------------------------------- */

/* A multiple of the point of a table, with a sign; NULL for nothing at all. */
typedef struct {
  const affine *entry;
  bool is_negative;
} step;

/* The entries that add up to `scalar` times the point of the table, one a window. */
static void plan(step *steps, const affine *entries, int bits, const number *scalar) {
  number left = *scalar;
  bool is_negative = left.limb[3] >> 63;
  if (is_negative) subtract_limbs(&left, &ORDER, &left); /* below 2^255 now */
  unsigned carry = 0;
  for (int window = 0; window < WINDOWS(bits); window++) {
    int at = window * bits;
    uint64_t taken = left.limb[at / 64] >> (at % 64);
    if (at % 64 > 64 - bits && at / 64 < 3) taken |= left.limb[at / 64 + 1] << (64 - at % 64);
    unsigned digit = (unsigned)(taken & ((1U << bits) - 1)) + carry;
    carry = digit > MULTIPLES(bits);
    if (carry) digit = (1U << bits) - digit;
    steps[window].is_negative = is_negative != (carry == 1);
    steps[window].entry = digit == 0 ? NULL : entries + (size_t)window * MULTIPLES(bits) + digit - 1;
    if (digit != 0) __builtin_prefetch(steps[window].entry);
  }
}

static void take(point *sum, const step *steps, int windows) {
  for (int i = 0; i < windows; i++) {
    if (steps[i].entry == NULL) continue;
    affine entry = *steps[i].entry;
    if (steps[i].is_negative) subtract(&entry.y, &(number){{0}}, &entry.y);
    add_affine(sum, &entry, &shared.one);
  }
}

static bool is_scalar(const number *a) { return !is_zero(a) && is_below(a, &ORDER); }

bool p256_is_good(const struct p256_table *table, const uint8_t e_bytes[P256_BYTES], const uint8_t r_bytes[P256_BYTES],
                  const uint8_t s_bytes[P256_BYTES]) {
  number e = read_number(e_bytes), r = read_number(r_bytes), s = read_number(s_bytes);
  if (!is_scalar(&r) || !is_scalar(&s)) return false;
  reduce_once(&e, 0, &ORDER);

  number inverse, u1, u2, t;
  const number one = {{1, 0, 0, 0}};
  invert_scalar(&t, &s);
  multiply_scalars(&inverse, &t, &shared.scalar_square_of_radix);
  multiply_scalars(&t, &s, &inverse);
  if (!is_equal(&t, &one)) return false; /* an error of the inversion, which OpenSSL does not make */
  multiply_scalars(&u1, &e, &inverse);
  multiply_scalars(&u2, &r, &inverse);

  step of_generator[WINDOWS(GENERATOR_BITS)], of_key[WINDOWS(KEY_BITS)];
  plan(of_key, table->entries, KEY_BITS, &u2);
  plan(of_generator, shared.generator, GENERATOR_BITS, &u1);
  point sum = {shared.one, shared.one, {{0}}};
  take(&sum, of_generator, WINDOWS(GENERATOR_BITS));
  take(&sum, of_key, WINDOWS(KEY_BITS));
  if (is_zero(&sum.z) || !is_on_curve(&sum)) return false;

  /* x / z^2 modulo the order is r: one of r and r + order, where that is below the prime, times z^2 is x. */
  number z2;
  square(&z2, &sum.z);
  multiply(&t, &r, &shared.square_of_radix);
  multiply(&t, &t, &z2);
  if (is_equal(&t, &sum.x)) return true;
  if (add_limbs(&r, &r, &ORDER) != 0 || !is_below(&r, &PRIME)) return false;
  multiply(&t, &r, &shared.square_of_radix);
  multiply(&t, &t, &z2);
  return is_equal(&t, &sum.x);
}

#endif
