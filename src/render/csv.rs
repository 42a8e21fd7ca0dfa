//! Scores as a table that spreadsheets and programs read: RFC 4180, a header, one line for each variant and step.

use super::scores::Scores;
use std::borrow::Cow;

/// The table: columns `variant`, `stage`, `step`, then the terms.
///
/// Numbers are the shortest that read back as the same value; a missing one is an empty field. Lines end in `\r\n`.
pub fn table(scores: &Scores) -> String {
    let mut out = String::new();
    let names = ["variant", "stage", "step"].into_iter().chain(scores.terms.iter().map(String::as_str));
    line(&mut out, names.map(quoted));
    for row in &scores.rows {
        let variant = scores.variants.get(row.variant).map_or("", String::as_str);
        let keys = [quoted(variant), quoted(&row.stage), row.step.to_string().into()];
        let values = (0..scores.terms.len()).map(|i| number(row.values.get(i).copied().unwrap_or(f64::NAN)).into());
        line(&mut out, keys.into_iter().chain(values));
    }
    out
}

/// The numbers of maps: columns `variant`, `y`, `x` (pixels from the top left), `value`.
#[derive(Debug, Default)]
pub struct Map {
    lines: String,
}

impl Map {
    /// Adds the rows of a variant's map.
    pub fn add(&mut self, variant: &str, rows: &[Vec<f64>]) {
        let variant = quoted(variant);
        for (y, row) in rows.iter().enumerate() {
            for (x, value) in row.iter().enumerate() {
                let fields =
                    [variant.as_ref().into(), y.to_string().into(), x.to_string().into(), number(*value).into()];
                line(&mut self.lines, fields.into_iter());
            }
        }
    }

    /// The whole table.
    pub fn finish(self) -> String {
        format!("variant,y,x,value\r\n{}", self.lines)
    }
}

fn line<'a>(out: &mut String, fields: impl Iterator<Item = Cow<'a, str>>) {
    for (i, field) in fields.enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str(&field);
    }
    out.push_str("\r\n");
}

/// In quotes if it holds a comma, a quote or the end of a line.
fn quoted(text: &str) -> Cow<'_, str> {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\"")).into()
    } else {
        text.into()
    }
}

/// The shortest text that reads back as the same number; empty for NaN.
fn number(value: f64) -> String {
    if value.is_nan() {
        return String::new();
    }
    // `{:?}` goes over to exponents where `{}` would write hundreds of zeros.
    let text = format!("{value:?}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::scores::Row;
    use super::*;

    #[test]
    fn a_table() {
        let row = |variant, step, values: &[f64]| Row { variant, stage: "main".into(), step, values: values.into() };
        let scores = Scores {
            variants: vec!["hen".into(), "owl, great".into()],
            terms: vec!["class(\"hen\")".into(), "loss".into()],
            rows: vec![row(0, 0, &[1.5, -2.0]), row(1, 0, &[f64::NAN, 1e-9]), row(7, 10, &[0.1])],
        };
        assert_eq!(
            table(&scores),
            "variant,stage,step,\"class(\"\"hen\"\")\",loss\r\n\
             hen,main,0,1.5,-2\r\n\
             \"owl, great\",main,0,,1e-9\r\n\
             ,main,10,0.1,\r\n"
        );
    }

    #[test]
    fn a_map() {
        let mut map = Map::default();
        map.add("a, b", &[vec![1.0, -0.5]]);
        map.add("c", &[vec![0.25]]);
        assert_eq!(map.finish(), "variant,y,x,value\r\n\"a, b\",0,0,1\r\n\"a, b\",0,1,-0.5\r\nc,0,0,0.25\r\n");
    }

    #[test]
    fn numbers_read_back() {
        for value in [0.1 + 0.2, 1.0 / 3.0, f64::MAX, f64::MIN_POSITIVE, 5e-324, -0.0, 123_456_789.0, 18.5f32.into()] {
            assert_eq!(number(value).parse::<f64>().unwrap().to_bits(), value.to_bits());
        }
        assert_eq!(number(f64::INFINITY), "inf");
    }
}
