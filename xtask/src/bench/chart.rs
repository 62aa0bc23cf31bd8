//! Lines over two logarithmic axes, as SVG that is readable on light and on dark ground.
//!
//! It must not depend on a font, a script or another file: a plot is shown by an `img`.

mod axis;

use std::fmt::Write;

use self::axis::Axis;
use super::numbers;

const WIDTH: f64 = 850.0;
const HEIGHT: f64 = 460.0;
/// Where the axes are: left, right, top, bottom.
const LEFT: f64 = 74.0;
const RIGHT: f64 = 590.0;
const TOP: f64 = 62.0;
const BOTTOM: f64 = 396.0;
/// Between two lines of the legend.
const LEGEND_STEP: f64 = 26.0;

/// Ground, writing and one class for each line: on light ground, then on dark.
const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#333}.title{font-size:16px;font-weight:600;fill:#111}\
.ground{fill:#fff}.grid{stroke:#e6e6e6}.axis{stroke:#888}.line{fill:none;stroke-width:2}\
.dot{stroke:#fff;stroke-width:1}.strong{stroke-width:3.5}.dashed{stroke-dasharray:7 4}\
.dotted{stroke-dasharray:2 4}\
.c0{--c:#d9480f}.c1{--c:#6b7280}.c2{--c:#6b7280}.c3{--c:#1d6fd1}.c4{--c:#0891b2}.c5{--c:#0f8a7e}\
.c6{--c:#7c4dcc}.c7{--c:#4d8a1f}.c8{--c:#c2307f}.c9{--c:#8a6116}.line{stroke:var(--c)}.dot{fill:var(--c)}\
@media(prefers-color-scheme:dark){text{fill:#c9ccd1}.title{fill:#f2f3f5}.ground{fill:#14161a}\
.grid{stroke:#2a2e35}.axis{stroke:#7b818b}.dot{stroke:#14161a}\
.c0{--c:#ff8a4c}.c1{--c:#9ca3af}.c2{--c:#9ca3af}.c3{--c:#6cb0ff}.c4{--c:#67e8f9}\
.c5{--c:#3fd0c0}.c6{--c:#b79bff}.c7{--c:#93d05a}.c8{--c:#ff7fbf}.c9{--c:#e0b050}}";

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stroke {
    Plain,
    Strong,
    Dashed,
    Dotted,
}

/// One line with its name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Series {
    pub(super) title: &'static str,
    /// 0 to 9.
    pub(super) colour: usize,
    pub(super) stroke: Stroke,
    /// Above nought, by the first of the two.
    pub(super) points: Vec<(f64, f64)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chart {
    pub(super) title: &'static str,
    pub(super) across: &'static str,
    pub(super) up: &'static str,
    pub(super) series: Vec<Series>,
}

impl Chart {
    /// The whole file; nothing where there is nothing to draw.
    pub(super) fn svg(&self) -> Option<String> {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let across = Axis::over(points().map(|point| point.0), LEFT, RIGHT)?;
        let up = Axis::over(points().map(|point| point.1), BOTTOM, TOP)?;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             role=\"img\" aria-label=\"{title}\">\n<style>{STYLE}</style>\n\
             <rect class=\"ground\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"8\"/>\n\
             <text class=\"title\" x=\"{LEFT}\" y=\"30\">{title}</text>\n\
             <text x=\"{LEFT}\" y=\"50\">{up}</text>\n\
             <text x=\"{RIGHT}\" y=\"{below}\" text-anchor=\"end\">{across}</text>\n",
            title = escaped(self.title),
            up = escaped(self.up),
            across = escaped(self.across),
            below = BOTTOM + 44.0,
        );
        draw_axes(&mut svg, &across, &up);
        // The strong line comes last, above the others.
        let mut by_strength: Vec<&Series> = self.series.iter().collect();
        by_strength.sort_by_key(|series| series.stroke == Stroke::Strong);
        for series in by_strength {
            draw(&mut svg, series, &across, &up);
        }
        self.draw_legend(&mut svg);
        svg.push_str("</svg>\n");
        Some(svg)
    }

    /// In the order in which the lines end, from the top.
    fn draw_legend(&self, svg: &mut String) {
        let last = |series: &Series| series.points.last().map_or(0.0, |point| point.1);
        let mut drawn: Vec<&Series> =
            self.series.iter().filter(|series| !series.points.is_empty()).collect();
        drawn.sort_by(|a, b| last(b).total_cmp(&last(a)));
        for (place, series) in drawn.into_iter().enumerate() {
            let (x, y) = (RIGHT + 22.0, TOP + 10.0 + LEGEND_STEP * place as f64);
            let classes = classes(series);
            let (end, middle, text) = (x + 28.0, x + 14.0, x + 36.0);
            let _ = writeln!(
                svg,
                "<path class=\"{classes}\" d=\"M{x} {y}H{end}\"/>{}\
                 <text x=\"{text}\" y=\"{}\">{}</text>",
                dot(series.colour, middle, y),
                y + 4.5,
                escaped(series.title)
            );
        }
    }
}

fn draw_axes(svg: &mut String, across: &Axis, up: &Axis) {
    for (value, x) in across.ticks() {
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{x:.1} {TOP}V{BOTTOM}\"/>\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            BOTTOM + 20.0,
            tick(value)
        );
    }
    for (value, y) in up.ticks() {
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            y + 4.5,
            tick(value)
        );
    }
    let _ =
        writeln!(svg, "<path class=\"axis\" fill=\"none\" d=\"M{LEFT} {TOP}V{BOTTOM}H{RIGHT}\"/>");
}

fn draw(svg: &mut String, series: &Series, across: &Axis, up: &Axis) {
    let places: Vec<(f64, f64)> =
        series.points.iter().map(|point| (across.place(point.0), up.place(point.1))).collect();
    let line: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    if line.len() > 1 {
        let _ = write!(svg, "<path class=\"{}\" d=\"M{}\"/>", classes(series), line.join("L"));
    }
    for (x, y) in places {
        svg.push_str(&dot(series.colour, x, y));
    }
    svg.push('\n');
}

fn classes(series: &Series) -> String {
    let stroke = match series.stroke {
        Stroke::Plain => "",
        Stroke::Strong => " strong",
        Stroke::Dashed => " dashed",
        Stroke::Dotted => " dotted",
    };
    format!("line c{}{stroke}", series.colour)
}

/// Round, square or pointed by turns, so that colour does not carry the difference alone.
fn dot(colour: usize, x: f64, y: f64) -> String {
    let begin = format!("class=\"dot c{colour}\"");
    match colour % 3 {
        0 => format!("<circle {begin} cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\"/>"),
        1 => format!("<path {begin} d=\"M{:.1} {:.1}h8v8h-8z\"/>", x - 4.0, y - 4.0),
        _ => format!("<path {begin} d=\"M{x:.1} {:.1}l5 9h-10z\"/>", y - 5.0),
    }
}

/// Short enough for an axis: `10 k`.
fn tick(value: f64) -> String {
    let (scaled, unit) = match value {
        value if value >= 1e9 => (value / 1e9, " G"),
        value if value >= 1e6 => (value / 1e6, " M"),
        value if value >= 1e3 => (value / 1e3, " k"),
        value => (value, ""),
    };
    if scaled >= 1.0 {
        format!("{}{unit}", numbers::thousands(scaled))
    } else {
        format!("{scaled}")
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<(f64, f64)>) -> Chart {
        let ours = Series { title: "a < b", colour: 0, stroke: Stroke::Strong, points };
        let none = Series { title: "none", colour: 1, stroke: Stroke::Dashed, points: Vec::new() };
        Chart { title: "title", across: "across", up: "up", series: vec![ours, none] }
    }

    #[test]
    fn a_line_has_a_dot_for_each_point_and_a_name_in_the_legend() {
        let svg = chart(vec![(100.0, 5.0), (1_000.0, 50.0), (10_000.0, 70.0)]).svg().unwrap();
        // Three on the line, one in the legend.
        assert_eq!(svg.matches("<circle").count(), 4);
        assert!(svg.contains("a &lt; b"));
        assert!(!svg.contains(">none<"), "what was not measured has no line in the legend");
        assert!(svg.contains(">10 k</text>"));
        assert_eq!(svg.matches('<').count(), svg.matches('>').count());
    }

    #[test]
    fn where_nothing_was_measured_nothing_is_drawn() {
        assert_eq!(chart(Vec::new()).svg(), None);
    }
}
