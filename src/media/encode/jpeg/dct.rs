//! The discrete cosine transform of a block, by the method of Arai, Agui and Nakajima (Trans.
//! IEICE E-71, 1988): five multiplications a row, at the price of scaled results.

use super::block::Block;

/// What each row and column of the result is larger by, beside 8 for the whole.
pub(super) const SCALES: [f64; 8] = [
    1.0,
    1.387_039_845_322_147_5,
    1.306_562_964_876_376_6,
    1.175_875_602_419_359,
    1.0,
    0.785_694_958_387_102_2,
    0.541_196_100_146_197,
    0.275_899_379_282_943_1,
];

/// The transformed block, transposed.
#[inline]
pub(super) fn forward_transposed(block: &Block) -> Block {
    columns(&transposed(&columns(block)))
}

#[inline]
fn transposed(block: &Block) -> Block {
    std::array::from_fn(|row| std::array::from_fn(|column| block[column][row]))
}

type Lane = [f32; 8];

#[inline]
fn add(a: &Lane, b: &Lane) -> Lane {
    std::array::from_fn(|n| a[n] + b[n])
}

#[inline]
fn sub(a: &Lane, b: &Lane) -> Lane {
    std::array::from_fn(|n| a[n] - b[n])
}

#[inline]
fn scale(a: &Lane, factor: f32) -> Lane {
    std::array::from_fn(|n| a[n] * factor)
}

/// All eight columns at once: each operation is one on a row of eight.
#[inline]
fn columns(x: &Block) -> Block {
    let (s0, d0) = (add(&x[0], &x[7]), sub(&x[0], &x[7]));
    let (s1, d1) = (add(&x[1], &x[6]), sub(&x[1], &x[6]));
    let (s2, d2) = (add(&x[2], &x[5]), sub(&x[2], &x[5]));
    let (s3, d3) = (add(&x[3], &x[4]), sub(&x[3], &x[4]));

    let (e0, e3) = (add(&s0, &s3), sub(&s0, &s3));
    let (e1, e2) = (add(&s1, &s2), sub(&s1, &s2));
    let z1 = scale(&add(&e2, &e3), 0.707_106_77);

    let (o0, o1, o2) = (add(&d3, &d2), add(&d2, &d1), add(&d1, &d0));
    let z5 = scale(&sub(&o0, &o2), 0.382_683_43);
    let z2 = add(&scale(&o0, 0.541_196_1), &z5);
    let z4 = add(&scale(&o2, 1.306_563), &z5);
    let z3 = scale(&o1, 0.707_106_77);
    let (z11, z13) = (add(&d0, &z3), sub(&d0, &z3));

    [
        add(&e0, &e1),
        add(&z11, &z4),
        add(&e3, &z1),
        sub(&z13, &z2),
        sub(&e0, &e1),
        add(&z13, &z2),
        sub(&e3, &z1),
        sub(&z11, &z4),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_cosine_transform() {
        let block: Block = std::array::from_fn(|y| std::array::from_fn(|x| ((x * 37 + y * 91) % 256) as f32 - 128.0));
        let found = forward_transposed(&block);
        for v in 0..8 {
            for u in 0..8 {
                let cosine = |x: usize, u: usize| ((2 * x + 1) as f64 * u as f64 * std::f64::consts::PI / 16.0).cos();
                let norm = |u: usize| if u == 0 { 0.5_f64.sqrt() } else { 1.0 };
                let mut sum = 0.0;
                for (y, row) in block.iter().enumerate() {
                    for (x, value) in row.iter().enumerate() {
                        sum += f64::from(*value) * cosine(x, u) * cosine(y, v);
                    }
                }
                let wanted = sum * norm(u) * norm(v) / 4.0;
                let scaled = f64::from(found[u][v]) / (SCALES[u] * SCALES[v] * 8.0);
                assert!((scaled - wanted).abs() < 1e-3, "{u} {v}: {scaled} and not {wanted}");
            }
        }
    }
}
