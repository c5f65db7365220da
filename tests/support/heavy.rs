//! Work that takes a while.

/// A config whose run takes seconds: heavy blurs of a large picture, one after another.
pub fn heavy(blurs: usize) -> String {
    another_heavy("heavy", blurs, 0)
}

/// One of this name; with another seed nothing of it is known from the others.
pub fn another_heavy(name: &str, blurs: usize, seed: u32) -> String {
    let mut yaml = format!("name: {name}\ndag:\n  nodes:\n    - {{id: s, type: SOURCE, config: {{asset: cat}}}}\n");
    let sigma = 20.0 + f64::from(seed) / 100.0;
    let mut before = "s".to_owned();
    for index in 0..blurs {
        yaml += &format!(
            "    - {{id: b{index}, type: EFFECT, config: {{effect: sharpen, params: {{sigma: {sigma}, amount: 0.1}}}}, inputs: [{before}]}}\n"
        );
        before = format!("b{index}");
    }
    yaml + &format!("  output: {before}\n")
}
