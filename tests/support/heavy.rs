//! Work that takes a while.

/// A config whose run takes seconds: heavy blurs of a large picture, one after another.
pub fn heavy(blurs: usize) -> String {
    let mut yaml = String::from("name: heavy\ndag:\n  nodes:\n    - {id: s, type: SOURCE, config: {asset: cat}}\n");
    let mut before = "s".to_owned();
    for index in 0..blurs {
        yaml += &format!(
            "    - {{id: b{index}, type: EFFECT, config: {{effect: sharpen, params: {{sigma: 20, amount: 0.1}}}}, inputs: [{before}]}}\n"
        );
        before = format!("b{index}");
    }
    yaml += &format!("  output: {before}\n");
    yaml
}
