//! Scores as a picture: one panel for each term above a shared axis of steps, one line for each variant.
//!
//! Terms differ by orders of magnitude, so each has a scale of its own; variants are compared within a panel. The SVG
//! stands alone: no script, no font file, readable on light and on dark pages.

mod axis;
mod series;

use super::scores::Scores;
use axis::Axis;
use series::Series;
use std::fmt::{self, Write as _};

/// The width of the whole, in pixels; the height follows from the number of terms.
const WIDTH: f64 = 760.0;

/// Room for numbers on the left, for labels of lines on the right.
const LEFT: f64 = 58.0;
const RIGHT: f64 = 20.0;
const RIGHT_WITH_LABELS: f64 = 132.0;

/// Room above each panel for its name, below the last one for the steps.
const ABOVE: f64 = 30.0;
const BELOW: f64 = 44.0;

/// Up to this many lines are labelled where they end; more get a legend below.
const DIRECT_LABELS: usize = 8;

/// The least distance of two labels.
const LINE_HEIGHT: f64 = 13.0;

/// Colours that keep their contrast on white and on near-black.
const COLORS: [&str; 10] =
    ["#3b82f6", "#ef6c3a", "#22a06b", "#c95fd0", "#c9971c", "#17a2b8", "#e5484d", "#8b7cf6", "#7a8b99", "#8fa32b"];

/// How the second and third round through the colours is told from the first.
const DASHES: [&str; 3] = ["", " stroke-dasharray=\"6 3\"", " stroke-dasharray=\"2 3\""];

/// Colours of everything that is no line, for both kinds of page.
const STYLE: &str = "<style>\
.ground{fill:#fff}.title{fill:#18181b;font-weight:600}.text{fill:#52525b}.grid{stroke:#e4e4e7}.axis{stroke:#a1a1aa}\
.line{fill:none;stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round}\
@media(prefers-color-scheme:dark){.ground{fill:#18181b}.title{fill:#fafafa}.text{fill:#b4b4bd}.grid{stroke:#33333a}\
.axis{stroke:#71717a}}</style>\n";

/// The scores as an SVG document, under `title` if that is not empty.
pub fn svg(scores: &Scores, title: &str) -> String {
    let mut out = String::new();
    // Writing to a string can't fail.
    let _ = Plot::new(scores, title).draw(&mut out);
    out
}

/// Everything that is known before the first line is drawn.
struct Plot<'a> {
    scores: &'a Scores,
    title: &'a str,
    series: Series,
    steps: Axis,
    panel: f64,
    top: f64,
    legend: bool,
}

impl<'a> Plot<'a> {
    fn new(scores: &'a Scores, title: &'a str) -> Self {
        let series = Series::of(scores);
        let several = scores.variants.len() > 1;
        let legend = scores.variants.len() > DIRECT_LABELS;
        let right = if several && !legend { RIGHT_WITH_LABELS } else { RIGHT };
        Self {
            scores,
            title,
            steps: Axis::whole(series.last_step, (LEFT, WIDTH - right)),
            series,
            panel: if scores.terms.len() <= 2 { 190.0 } else { 130.0 },
            top: if title.is_empty() { 0.0 } else { 26.0 },
            legend,
        }
    }

    /// Where the panel of a term begins.
    fn panel_top(&self, term: usize) -> f64 {
        self.top + ABOVE + term as f64 * (self.panel + ABOVE)
    }

    /// How many variants stand in one row of the legend.
    fn legend_columns(&self) -> usize {
        let longest = self.scores.variants.iter().map(|label| shortened(label).chars().count()).max().unwrap_or(0);
        (((WIDTH - LEFT - RIGHT) / (longest as f64 * 6.5 + 36.0)) as usize).max(1)
    }

    fn height(&self) -> f64 {
        let rows = if self.legend { self.scores.variants.len().div_ceil(self.legend_columns()) } else { 0 };
        let legend = rows as f64 * (LINE_HEIGHT + 4.0) + if self.legend { 10.0 } else { 0.0 };
        self.panel_top(self.scores.terms.len()) - ABOVE + BELOW + legend
    }

    fn draw(&self, out: &mut String) -> fmt::Result {
        let (width, height) = (Short(WIDTH), Short(self.height()));
        write!(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" ")?;
        write!(out, "viewBox=\"0 0 {width} {height}\" role=\"img\" ")?;
        writeln!(out, "font-family=\"system-ui,-apple-system,'Segoe UI',Roboto,sans-serif\" font-size=\"11\">")?;
        let name = if self.title.is_empty() { "scores" } else { self.title };
        writeln!(out, "<title>{}</title>", Escaped(name))?;
        out.push_str(STYLE);
        writeln!(out, "<rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>")?;
        if !self.title.is_empty() {
            let x = Short(LEFT);
            writeln!(out, "<text class=\"title\" x=\"{x}\" y=\"22\" font-size=\"14\">{}</text>", Escaped(self.title))?;
        }
        for term in 0..self.scores.terms.len() {
            self.draw_panel(out, term)?;
        }
        self.draw_steps(out)?;
        if self.legend {
            self.draw_legend(out)?;
        }
        out.push_str("</svg>\n");
        Ok(())
    }

    fn draw_panel(&self, out: &mut String, term: usize) -> fmt::Result {
        let (top, (left, right)) = (self.panel_top(term), self.steps.ends());
        let name = self.scores.terms.get(term).map_or("", String::as_str);
        writeln!(
            out,
            "<text class=\"title\" x=\"{}\" y=\"{}\">{}</text>",
            Short(left),
            Short(top - 9.0),
            Escaped(&cut(name, 100))
        )?;
        let Some((low, high)) = self.series.range(term) else {
            return writeln!(
                out,
                "<text class=\"text\" x=\"{}\" y=\"{}\">no value</text>",
                Short(left),
                Short(top + 12.0)
            );
        };
        let axis = Axis::around(low, high, (top + self.panel, top));
        for tick in axis.ticks() {
            let y = Short(axis.place(tick));
            let (from, to) = (Short(left), Short(right));
            writeln!(out, "<path class=\"grid\" d=\"M{from} {y}H{to}\"/>")?;
            let (x, base) = (Short(left - 7.0), Short(axis.place(tick) + 3.8));
            writeln!(
                out,
                "<text class=\"text\" x=\"{x}\" y=\"{base}\" text-anchor=\"end\">{}</text>",
                axis.label(tick)
            )?;
        }
        self.draw_stages(out, top)?;
        let mut ends = Vec::new();
        for variant in 0..self.scores.variants.len().max(1) {
            let points = self.series.points(variant, term);
            let path = series::path(points, &self.steps, &axis);
            if !path.is_empty() {
                let dash = DASHES[variant / COLORS.len() % DASHES.len()];
                writeln!(out, "<path class=\"line\" stroke=\"{}\"{dash} d=\"{path}\"/>", color(variant))?;
            }
            if let Some((_, value)) = points.iter().rev().find(|(_, value)| value.is_finite()) {
                ends.push((variant, *value));
            }
        }
        if self.scores.variants.len() > 1 && !self.legend {
            let mut labels: Vec<_> = ends.iter().map(|(variant, value)| (*variant, axis.place(*value))).collect();
            spread(&mut labels, top, top + self.panel);
            for (variant, y) in labels {
                let (x, y) = (Short(right + 7.0), Short(y + 3.8));
                let label = self.scores.variants.get(variant).map_or("", String::as_str);
                writeln!(
                    out,
                    "<text fill=\"{}\" x=\"{x}\" y=\"{y}\">{}</text>",
                    color(variant),
                    Escaped(&shortened(label))
                )?;
            }
        } else if let [(_, value)] = ends[..] {
            let (x, y) = (Short(right), Short(top - 9.0));
            writeln!(
                out,
                "<text class=\"text\" x=\"{x}\" y=\"{y}\" text-anchor=\"end\">{}</text>",
                axis::brief(value)
            )?;
        }
        Ok(())
    }

    /// Where a stage ends and the next one begins, with the stages' names in the first panel.
    fn draw_stages(&self, out: &mut String, top: f64) -> fmt::Result {
        for (i, (step, name)) in self.series.stages.iter().enumerate() {
            let (x, bottom) = (self.steps.place(*step as f64 - 0.5), Short(top + self.panel));
            if i > 0 {
                let (x, top) = (Short(x), Short(top));
                writeln!(out, "<path class=\"axis\" stroke-dasharray=\"2 3\" d=\"M{x} {top}V{bottom}\"/>")?;
            }
            if top == self.panel_top(0) && self.series.stages.len() > 1 {
                let x = Short(x.max(self.steps.ends().0) + 5.0);
                let y = Short(top + 12.0);
                writeln!(out, "<text class=\"text\" x=\"{x}\" y=\"{y}\">{}</text>", Escaped(&shortened(name)))?;
            }
        }
        Ok(())
    }

    fn draw_steps(&self, out: &mut String) -> fmt::Result {
        let bottom = self.panel_top(self.scores.terms.len()) - ABOVE;
        let (left, right) = self.steps.ends();
        let y = Short(bottom);
        writeln!(out, "<path class=\"axis\" d=\"M{} {y}H{}\"/>", Short(left), Short(right))?;
        let text = Short(bottom + 16.0);
        for tick in self.steps.ticks() {
            let x = Short(self.steps.place(tick));
            writeln!(out, "<path class=\"axis\" d=\"M{x} {y}v4\"/>")?;
            writeln!(
                out,
                "<text class=\"text\" x=\"{x}\" y=\"{text}\" text-anchor=\"middle\">{}</text>",
                self.steps.label(tick)
            )?;
        }
        let (x, y) = (Short((left + right) / 2.0), Short(bottom + 32.0));
        writeln!(out, "<text class=\"text\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">step</text>")
    }

    fn draw_legend(&self, out: &mut String) -> fmt::Result {
        let (columns, top) = (self.legend_columns(), self.panel_top(self.scores.terms.len()) - ABOVE + BELOW + 6.0);
        let pitch = (WIDTH - LEFT - RIGHT) / columns as f64;
        for (variant, label) in self.scores.variants.iter().enumerate() {
            let (x, y) =
                (LEFT + (variant % columns) as f64 * pitch, top + (variant / columns) as f64 * (LINE_HEIGHT + 4.0));
            let dash = DASHES[variant / COLORS.len() % DASHES.len()];
            let (from, text, base) = (Short(x), Short(x + 24.0), Short(y + 3.8));
            let (color, label) = (color(variant), Escaped(&shortened(label)).to_string());
            writeln!(out, "<path class=\"line\" stroke=\"{color}\"{dash} d=\"M{from} {}h18\"/>", Short(y))?;
            writeln!(out, "<text class=\"text\" x=\"{text}\" y=\"{base}\">{label}</text>")?;
        }
        Ok(())
    }
}

/// The colour of a variant's lines.
fn color(variant: usize) -> &'static str {
    COLORS[variant % COLORS.len()]
}

/// A label that fits beside a panel.
fn shortened(label: &str) -> String {
    cut(label, 18)
}

/// At most `limit` characters, the last of them `…` if some are missing.
fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit - 1).chain(['…']).collect()
}

/// Moves labels apart, up and down, so that none covers another and all stay between `top` and `bottom`.
fn spread(labels: &mut [(usize, f64)], top: f64, bottom: f64) {
    labels.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    let mut least = top;
    for (_, y) in labels.iter_mut() {
        *y = y.max(least);
        least = *y + LINE_HEIGHT;
    }
    let mut most = bottom;
    for (_, y) in labels.iter_mut().rev() {
        *y = y.min(most);
        most = *y - LINE_HEIGHT;
    }
}

/// A coordinate with at most two decimals.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let text = format!("{:.2}", self.0);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// Text inside of an element: markup and characters that XML forbids are harmless.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => f.write_char(' ')?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
