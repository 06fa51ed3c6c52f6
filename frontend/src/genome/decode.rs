//! The values of encoded biases. Those of encoded weights are decoded where they are needed.

/// An encoded bias: `b[o] = Σ_a Eo[o,a] · beta[a]`, a ascending, in f64, rounded once.
///
/// **Shapes**: `out` `[rows, genes]` row-major, `beta` `[genes]`.
#[expect(clippy::cast_possible_truncation, reason = "the one rounding to f32")]
pub(crate) fn bias(out: &[f64], beta: &[f64]) -> Vec<f32> {
    let dot = |row: &[f64]| row.iter().zip(beta).fold(0.0, |sum, (e, b)| sum + e * b) as f32;
    out.chunks_exact(beta.len().max(1)).map(dot).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let out = [1.0, 1.0, 1.0, 2.0, 0.0, -1.0];
        assert_eq!(bias(&out, &[1.0, -1.0, 4.0]), [4.0, -2.0]);
    }

    #[test]
    fn rounds_once() {
        // A sum that was rounded to f32 on the way would stay at 1.
        let tiny = (-24_f64).exp2() + (-50_f64).exp2();
        assert_eq!(bias(&[1.0, tiny], &[1.0, 1.0]), [1.0 + f32::EPSILON]);
    }
}
