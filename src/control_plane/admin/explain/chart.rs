//! The same plots as one SVG, which is self-contained and uses vector shapes and the reader's own fonts.
//!
//! plotters writes plain colors. Each of them is a placeholder, which the style sheet inside the SVG turns
//! into the color for a light or a dark page. So one picture is right on both, inside a page and alone.

use plotters::prelude::*;

use super::course::Course;

const WIDTH: u32 = 920;
const SCORE_HEIGHT: u32 = 280;
const RATE_HEIGHT: u32 = 190;

// Placeholders for colors; see `STYLE`.
const INK: RGBColor = RGBColor(1, 1, 1);
const FAINT: RGBColor = RGBColor(2, 2, 2);
const NEW: RGBColor = RGBColor(3, 3, 3);
const OLD: RGBColor = RGBColor(4, 4, 4);
const BOUND: RGBColor = RGBColor(5, 5, 5);
const SECOND: RGBColor = RGBColor(6, 6, 6);
const ERROR: RGBColor = RGBColor(7, 7, 7);

/// The colors that the placeholders stand for.
const STYLE: &str = "\
.gl{font-family:ui-sans-serif,system-ui,sans-serif;--ink:#24292f;--faint:#d5dbe1;--new:#0b6bcb;--old:#7d8790;\
--bound:#c2410c;--second:#7c3aed;--error:#cf222e}\
@media(prefers-color-scheme:dark){.gl{--ink:#d5dce4;--faint:#38414b;--new:#58a6ff;--old:#8b96a1;\
--bound:#fb923c;--second:#b794f6;--error:#ff7b72}}\
.gl text{font-family:inherit}\
.gl [fill='#010101']{fill:var(--ink)}.gl [stroke='#010101']{stroke:var(--ink)}\
.gl [fill='#020202']{fill:var(--faint)}.gl [stroke='#020202']{stroke:var(--faint)}\
.gl [fill='#030303']{fill:var(--new)}.gl [stroke='#030303']{stroke:var(--new)}\
.gl [fill='#040404']{fill:var(--old)}.gl [stroke='#040404']{stroke:var(--old)}\
.gl [fill='#050505']{fill:var(--bound)}.gl [stroke='#050505']{stroke:var(--bound)}\
.gl [fill='#060606']{fill:var(--second)}.gl [stroke='#060606']{stroke:var(--second)}\
.gl [fill='#070707']{fill:var(--error)}.gl [stroke='#070707']{stroke:var(--error)}";

/// The picture, or `None` if it can't be drawn.
pub(crate) fn svg(course: &Course<'_>) -> Option<String> {
    let scored = course.rules().next().is_some();
    let score_height = if scored { SCORE_HEIGHT } else { 0 };
    let height = score_height + 2 * RATE_HEIGHT;
    let mut drawn = String::new();
    draw(&mut drawn, course, score_height, height).ok()?;
    let (_, inner) = drawn.split_once('>')?;
    Some(format!(
        "<svg class=\"gl\" role=\"img\" viewBox=\"0 0 {WIDTH} {height}\" xmlns=\"http://www.w3.org/2000/svg\">\
         <title>Score and errors of the release, second by second</title><style>{STYLE}</style>{inner}"
    ))
}

type Drawn<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn draw(drawn: &mut String, course: &Course<'_>, score_height: u32, height: u32) -> Drawn<()> {
    let root = SVGBackend::with_string(drawn, (WIDTH, height)).into_drawing_area();
    let (scores, rates) = root.split_vertically(score_height);
    if score_height > 0 {
        score(&scores, course).map_err(|why| why.to_string())?;
    }
    let (errors, requests) = rates.split_vertically(RATE_HEIGHT);
    let (new, old) = (&course.series.candidate, &course.series.old);
    rate(
        &errors,
        course,
        "errors a second",
        [(&new.errors, ERROR, "new color"), (&old.errors, OLD, "old color")],
    )
    .map_err(|why| why.to_string())?;
    rate(
        &requests,
        course,
        "requests a second",
        [(&new.requests, NEW, "new color"), (&old.requests, OLD, "old color")],
    )
    .map_err(|why| why.to_string())?;
    root.present().map_err(|why| why.to_string())?;
    Ok(())
}

type Area<'a, 'b> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Fault<'a> = DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>;
type Context<'a, 'b> = ChartContext<
    'b,
    SVGBackend<'a>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

/// Draws the axes, a title, and a line for each mark.
fn frame<'a, 'b>(
    area: &'b Area<'a, 'b>,
    course: &Course<'_>,
    title: &str,
    top: f64,
) -> Result<Context<'a, 'b>, Fault<'a>> {
    let text = |size: i32, color: RGBColor| ("sans-serif", size).into_font().color(&color);
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .margin_right(24)
        .margin_top(34)
        .x_label_area_size(28)
        .y_label_area_size(58)
        .build_cartesian_2d(course.x[0]..course.end(), 0.0..top)?;
    area.draw_text(title, &text(18, INK), (12, 8))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .y_labels(5)
        .x_labels(9)
        .light_line_style(TRANSPARENT)
        .bold_line_style(FAINT)
        .axis_style(FAINT)
        .label_style(text(15, INK))
        .x_label_formatter(&|x| format!("{x:.0} s"))
        .y_label_formatter(&|y| if top >= 10.0 { format!("{y:.0}") } else { format!("{y:.1}") })
        .draw()?;
    for mark in &course.marks {
        chart.draw_series(DashedLineSeries::new(
            [(mark.x, 0.0), (mark.x, top)],
            3,
            4,
            INK.stroke_width(1),
        ))?;
        let (x, y) = chart.backend_coord(&(mark.x, top));
        let (left, above) = area.get_pixel_range();
        area.draw_text(mark.name, &text(14, INK), (x - left.start + 4, y - above.start + 1))?;
    }
    Ok(chart)
}

fn score<'a, 'b>(area: &'b Area<'a, 'b>, course: &Course<'_>) -> Result<(), Fault<'a>> {
    let top = |column: &[f32]| column.iter().copied().map(f64::from).fold(1.0, f64::max);
    let top = course.rules().map(|rule| top(&rule.s).max(top(&rule.h))).fold(1.0, f64::max) * 1.12;
    let mut chart = frame(area, course, "score S of each rule, and the bound h at which it trips", top)?;
    let mut legend = Vec::new();
    for (rule, color) in course.rules().zip([NEW, SECOND, OLD].into_iter().cycle()) {
        let points = |column: &[f32]| -> Vec<(f64, f64)> {
            let run = rule.h.iter().map(|bound| *bound > 0.0);
            let points = course.x.iter().zip(column).zip(run).filter(|(_, run)| *run);
            points.map(|((x, y), _)| (x + course.step(), f64::from(*y))).collect()
        };
        let (s, h) = (points(&rule.s), points(&rule.h));
        chart.draw_series(AreaSeries::new(s.clone(), 0.0, color.mix(0.18)))?;
        chart.draw_series(LineSeries::new(s, color.stroke_width(2)))?;
        chart.draw_series(DashedLineSeries::new(h, 7, 5, BOUND.stroke_width(2)))?;
        legend.push((format!("S, {}", rule.rule), color));
    }
    legend.push(("h".to_owned(), BOUND));
    if let Some(crossed) = &course.crossed {
        let at = (crossed.x, crossed.s.min(top));
        chart.draw_series([Circle::new(at, 5, BOUND.filled())])?;
    }
    keys(area, &legend)
}

fn rate<'a, 'b>(
    area: &'b Area<'a, 'b>,
    course: &Course<'_>,
    title: &str,
    columns: [(&Vec<u32>, RGBColor, &str); 2],
) -> Result<(), Fault<'a>> {
    let rates = columns.map(|(column, ..)| course.rate(column));
    let top = rates.iter().flatten().copied().fold(1.0, f64::max) * 1.12;
    let mut chart = frame(area, course, title, top)?;
    let step = course.step();
    let mut legend = Vec::new();
    // The old color is drawn first, so that the bars of the new one lie over it.
    for ((_, color, name), rate) in columns.into_iter().zip(rates).rev() {
        let bars = course.x.iter().zip(&rate).filter(|(_, rate)| **rate > 0.0);
        chart.draw_series(
            bars.map(|(x, rate)| Rectangle::new([(*x, 0.0), (x + step, *rate)], color.filled())),
        )?;
        legend.push((name.to_owned(), color));
    }
    keys(area, &legend)
}

/// Draws the legend of the colors, at the top right.
fn keys<'a, 'b>(area: &'b Area<'a, 'b>, legend: &[(String, RGBColor)]) -> Result<(), Fault<'a>> {
    let (width, _) = area.dim_in_pixel();
    let mut x = i32::try_from(width).unwrap_or(i32::MAX) - 24;
    for (name, color) in legend {
        x -= 18 + 7 * i32::try_from(name.chars().count()).unwrap_or(0);
        area.draw(&Rectangle::new([(x, 11), (x + 10, 21)], color.filled()))?;
        area.draw_text(name, &("sans-serif", 15).into_font().color(&INK), (x + 14, 9))?;
        x -= 10;
    }
    Ok(())
}
