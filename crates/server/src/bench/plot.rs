//! The measurements as a picture: a bar per row, requests per processor second, on a logarithmic scale.

use std::fmt::Write as _;

use super::report::{Report, Row};

/// Height of a bar with its gap, width of the labels and of the scale, in pixels.
const LINE: usize = 20;
const LABELS: usize = 430;
const SCALE: f64 = 420.0;

/// Decades of the scale: from ten to ten millions.
const DECADES: (i32, i32) = (1, 7);

/// An SVG picture of the report. It reads in light and dark.
pub fn svg(report: &Report) -> String {
    let height = LINE * (report.rows.len() + 3);
    let width = LABELS + SCALE as usize + 90;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>metaseal {}: requests per processor second</title>\n\
         <style>text{{fill:#222}}line{{stroke:#ccc}}@media(prefers-color-scheme:dark){{text{{fill:#ddd}}line{{stroke:#444}}}}</style>\n",
        report.version
    );
    for decade in DECADES.0..=DECADES.1 {
        let x = LABELS as f64 + place(10_f64.powi(decade));
        let _ = writeln!(
            out,
            "<line x1=\"{x:.0}\" y1=\"{LINE}\" x2=\"{x:.0}\" y2=\"{}\"/><text x=\"{x:.0}\" y=\"14\" text-anchor=\"middle\">{}</text>",
            height - LINE,
            grouped(10_u64.pow(decade.unsigned_abs()))
        );
    }
    for (number, row) in report.rows.iter().enumerate() {
        let top = LINE * (number + 1) + 6;
        let length = place(row.per_cpu_s);
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
             <rect x=\"{LABELS}\" y=\"{top}\" width=\"{length:.0}\" height=\"{}\" fill=\"{}\"/>\
             <text x=\"{:.0}\" y=\"{}\">{}</text>",
            LABELS - 6,
            top + 11,
            escaped(&label(row)),
            LINE - 6,
            if row.ratios.is_empty() { "#999" } else { "#2a78b8" },
            LABELS as f64 + length + 5.0,
            top + 11,
            grouped(row.per_cpu_s.round() as u64)
        );
    }
    out.push_str("</svg>\n");
    out
}

fn label(row: &Row) -> String {
    row.engine.map_or_else(|| row.what.clone(), |engine| format!("{}, {engine}", row.what))
}

/// Pixels from the left of the scale.
fn place(value: f64) -> f64 {
    let (from, to) = (f64::from(DECADES.0), f64::from(DECADES.1));
    ((value.max(1.0).log10() - from) / (to - from)).clamp(0.0, 1.0) * SCALE
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_in_decades() {
        assert_eq!((place(10.0), place(1e7), place(0.0)), (0.0, SCALE, 0.0));
        assert_eq!((grouped(12), grouped(1_234_567)), ("12".to_owned(), "1,234,567".to_owned()));
    }
}
