//! A procedure as an SVG sequence diagram: lifelines, numbered arrows, checks under each arrow.
//!
//! The picture stands alone: no script, no font or style from elsewhere, readable in light and dark.

use std::fmt::Write as _;

use super::report::{Procedure, Step, Verdict};

const COLUMN: usize = 230;
const LEFT: usize = 110;
/// Room beside the last lifeline, at least.
const RIGHT: usize = 110;
/// Width of a character of the title, of a message and of a check, at most.
const TITLE_CHAR: usize = 9;
const MESSAGE_CHAR: usize = 7;
const CHECK_CHAR: usize = 6;
/// From a lifeline to the text beside an arrow to itself, and under any other arrow.
const SELF_TEXT: usize = 42;
const ARROW_TEXT: usize = 12;
const TOP: usize = 96;
const ROW: usize = 46;
const CHECK_LINE: usize = 15;
/// Checks of a step are shown in lines of this many characters.
const CHECK_CHARS: usize = 96;

/// Draws `procedure`. Returns a complete SVG document.
#[must_use]
pub(super) fn draw(procedure: &Procedure) -> String {
    let actors = actors(&procedure.steps);
    let heights: Vec<usize> =
        procedure.steps.iter().map(|s| ROW + CHECK_LINE * check_lines(s).len()).collect();
    let height = TOP + heights.iter().sum::<usize>() + 30;
    let width = width(procedure, &actors);
    let mut svg = String::new();
    head(&mut svg, procedure, width, height);
    for (index, actor) in actors.iter().enumerate() {
        let x = LEFT + index * COLUMN;
        let _ = write!(
            svg,
            "<line class=\"life\" x1=\"{x}\" y1=\"{}\" x2=\"{x}\" y2=\"{}\"/>\
             <rect class=\"actor\" x=\"{}\" y=\"{}\" width=\"130\" height=\"28\" rx=\"5\"/>\
             <text class=\"name\" x=\"{x}\" y=\"{}\">{}</text>",
            TOP - 12,
            height - 16,
            x - 65,
            TOP - 40,
            TOP - 21,
            escape(actor),
        );
    }
    let mut y = TOP;
    for (step, height) in procedure.steps.iter().zip(heights) {
        arrow(&mut svg, step, &actors, y + 26);
        y += height;
    }
    svg.push_str("</svg>\n");
    svg
}

/// Wide enough for the lifelines, the title, and whatever stands beside a lifeline.
fn width(procedure: &Procedure, actors: &[&str]) -> usize {
    let characters = |text: &str| text.chars().count();
    let lifelines = LEFT + RIGHT + COLUMN * actors.len().saturating_sub(1);
    let headed = 40 + TITLE_CHAR * characters(&title(procedure));
    let beside = procedure.steps.iter().map(|step| {
        let (from, to) = (at(actors, &step.from), at(actors, &step.to));
        let label = if from == to { MESSAGE_CHAR * characters(&label(step)) } else { 0 };
        let checks = check_lines(step).iter().map(|line| CHECK_CHAR * characters(line)).max();
        from.min(to)
            + if from == to { SELF_TEXT } else { ARROW_TEXT }
            + label.max(checks.unwrap_or_default())
            + 20
    });
    beside.chain([lifelines, headed]).max().unwrap_or_default()
}

fn title(procedure: &Procedure) -> String {
    format!("{} {} ({})", procedure.id, procedure.title, procedure.source)
}

fn label(step: &Step) -> String {
    format!("{} {}", step.step, step.message)
}

/// Where the lifeline of an actor is.
fn at(actors: &[&str], name: &str) -> usize {
    LEFT + COLUMN * actors.iter().position(|actor| *actor == name).unwrap_or(0)
}

fn head(svg: &mut String, procedure: &Procedure, width: usize, height: usize) {
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"{0}\" font-family=\"system-ui,sans-serif\"><title>{0}</title><style>\
         .bg{{fill:#fff}}text{{fill:#1b2733;font-size:12px}}.title{{font-size:16px;font-weight:600}}\
         .actor{{fill:#e8eef6;stroke:#5b7693}}.name{{text-anchor:middle;font-weight:600}}\
         .life{{stroke:#9fb1c4;stroke-dasharray:3 4}}.pass{{stroke:#1f7a4d;fill:#1f7a4d}}\
         .fail{{stroke:#b3261e;fill:#b3261e}}.msg{{text-anchor:middle}}.chk{{font-size:10.5px;fill:#51606f}}\
         .self{{fill:none}}@media(prefers-color-scheme:dark){{.bg{{fill:#12181f}}text{{fill:#e4ebf2}}\
         .actor{{fill:#22303e}}.chk{{fill:#a9b7c6}}.pass{{stroke:#57c08a;fill:#57c08a}}\
         .fail{{stroke:#ff8a80;fill:#ff8a80}}}}</style>\
         <rect class=\"bg\" width=\"{width}\" height=\"{height}\"/>\
         <text class=\"title\" x=\"20\" y=\"30\">{0}</text>",
        escape(&title(procedure)),
    );
}

fn arrow(svg: &mut String, step: &Step, actors: &[&str], y: usize) {
    let (from, to) = (at(actors, &step.from), at(actors, &step.to));
    let class = if step.verdict == Verdict::Fail { "fail" } else { "pass" };
    let label = escape(&label(step));
    if from == to {
        let _ = write!(
            svg,
            "<path class=\"{class} self\" d=\"M{from} {0}h34v14h-28\"/>\
             <path class=\"{class}\" d=\"M{1} {2}l8 -4v8z\"/><text x=\"{3}\" y=\"{4}\">{label}</text>",
            y - 8,
            from + 2,
            y + 6,
            from + SELF_TEXT,
            y + 2,
        );
    } else {
        let (tip, back) = if to > from { (to - 2, to - 10) } else { (to + 2, to + 10) };
        let _ = write!(
            svg,
            "<line class=\"{class}\" x1=\"{from}\" y1=\"{y}\" x2=\"{back}\" y2=\"{y}\" stroke-width=\"1.6\"/>\
             <path class=\"{class}\" d=\"M{tip} {y}L{back} {0}L{back} {1}z\"/>\
             <text class=\"msg\" x=\"{2}\" y=\"{3}\">{label}</text>",
            y - 4,
            y + 4,
            usize::midpoint(from, to),
            y - 6,
        );
    }
    let beside = if from == to { SELF_TEXT } else { ARROW_TEXT };
    for (index, line) in check_lines(step).iter().enumerate() {
        let _ = write!(
            svg,
            "<text class=\"chk\" x=\"{}\" y=\"{}\">{}</text>",
            from.min(to) + beside,
            y + 2 + CHECK_LINE * (index + 1),
            escape(line),
        );
    }
}

fn check_lines(step: &Step) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut checks: Vec<&str> = step.checks.iter().map(String::as_str).collect();
    checks.dedup();
    for check in checks {
        match lines.last_mut() {
            Some(line) if line.chars().count() + check.chars().count() + 3 <= CHECK_CHARS => {
                line.push_str(" · ");
                line.push_str(check);
            }
            _ => lines.push(format!("✓ {check}")),
        }
    }
    if let Some(seen) = &step.seen {
        lines.push(format!("✗ {seen}"));
    }
    lines
}

fn actors(steps: &[Step]) -> Vec<&str> {
    let mut actors = Vec::new();
    for name in steps.iter().flat_map(|step| [step.from.as_str(), step.to.as_str()]) {
        if !actors.contains(&name) {
            actors.push(name);
        }
    }
    actors
}

fn escape(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::report::catalogue;

    #[test]
    fn every_step_stands_in_the_picture_and_no_markup_gets_in() {
        let mut procedure = catalogue().remove(0);
        let step = |step: &str, from: &str, to: &str, message: &str| Step {
            step: step.into(),
            from: from.into(),
            to: to.into(),
            message: message.into(),
            verdict: Verdict::Pass,
            seen: None,
            checks: vec!["signature".into()],
        };
        procedure.steps =
            vec![step("0", "SIM-C", "SIM-S", "<script>\"&"), step("2", "SIM-S", "SIM-S", "authorize")];
        let svg = draw(&procedure);
        assert!(svg.contains("0 &lt;script&gt;&quot;&amp;") && !svg.contains("<script>"), "{svg}");
        assert!(svg.contains("2 authorize") && svg.contains("signature") && svg.ends_with("</svg>\n"));

        // What is long beside the last lifeline makes the picture wider.
        let narrow = width(&procedure, &["SIM-C", "SIM-S"]);
        procedure.steps.push(step("2", "SIM-S", "SIM-S", &"x".repeat(100)));
        assert!(width(&procedure, &["SIM-C", "SIM-S"]) > narrow);
    }
}
