//! The planned load as drawings for people and as points for programs: what `punk shapes` prints.
//!
//! It draws what the Plan knows; what a steered shape will do, nobody does.

use super::page::{Page, Piece, Style, Tint};
use crate::load::{Load, Model, Shape, Steering, outline, summit};
use crate::plan::{Plan, Scenario};
use crate::units::{count, duration, human};
use serde_json::{Value, json};
use std::time::Duration;

/// Lines of a drawing.
const HEIGHT: usize = 8;
/// Columns of a drawing at most: more show nothing more.
const MOST_COLUMNS: usize = 100;
/// Looks at a shape within one column; its highest value is drawn, so that no spike is too narrow.
const LOOKS: u32 = 16;
/// Stretches between the points for programs.
const POINTS: u32 = 240;
/// The last column of a value, in eighths.
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A drawing of the load of each scenario. Ends with a newline.
pub fn shapes_text(plan: &Plan, style: Style) -> String {
    let mut page = Page::new(style);
    let title = plan.sources.first().map_or("no script", |source| &source.path);
    page.pieces(0, 0, &[Piece::tinted("LOAD", Tint::Strong), title.into()]);
    for scenario in &plan.scenarios {
        page.heading(&scenario.name, &begins(scenario));
        page.line(&scenario.work.to_string());
        match scenario.work.load() {
            Some(load) => drawing(&mut page, load),
            None => page.line("as fast as its users can: there is no load over time to draw"),
        }
    }
    page.finish()
}

/// `{scenarios: [{name, model, plan, starts_seconds, after, warmup, duration_seconds, peak, peak_at_seconds, integral,
/// randomized, steered, points}]}`: times in seconds from the scenario's start; `integral` is arrivals of a rate and
/// user-seconds of users, absent of what is steered, as `peak` is. Fixed work has `iterations` and no points.
pub fn shapes_json(plan: &Plan) -> Value {
    let seconds = |time: Duration| time.as_secs_f64();
    let scenarios: Vec<Value> = plan
        .scenarios
        .iter()
        .map(|scenario| {
            let mut wire = json!({
                "name": scenario.name,
                "model": scenario.work.word(),
                "plan": scenario.work.to_string(),
                "starts_seconds": seconds(scenario.starts),
                "after": scenario.after,
                "warmup": scenario.warmup,
                "duration_seconds": scenario.work.duration().map(seconds),
            });
            let Some(load) = scenario.work.load() else {
                wire["iterations"] = json!(scenario.work.iterations());
                wire["points"] = json!([]);
                return wire;
            };
            let (shape, end) = (&*load.shape, end(load));
            let points = outline(shape, end, POINTS);
            wire["randomized"] = json!(shape.randomized());
            match shape.steered() {
                Some(steered) => {
                    wire["steered"] = json!({
                        "by": match steered.how { Steering::Closure => "closure", Steering::Capacity(_) => "find_capacity" },
                        "from_seconds": seconds(steered.from),
                        "until_seconds": steered.until.map(seconds),
                    });
                }
                None => {
                    wire["peak"] = json!(shape.peak(end));
                    wire["peak_at_seconds"] = json!(seconds(summit(shape, end)));
                    wire["integral"] = json!(shape.integral(end));
                }
            }
            wire["points"] = points.iter().map(|(at, value)| json!([seconds(*at), value])).collect();
            wire
        })
        .collect();
    json!({ "scenarios": scenarios })
}

/// When a scenario begins, where it does not begin with the run.
fn begins(scenario: &Scenario) -> String {
    let mut words = Vec::new();
    match (&scenario.after, scenario.starts.is_zero()) {
        (Some(after), true) => words.push(format!("starts when {after} has ended")),
        (Some(after), false) => {
            words.push(format!("starts {} after {after} has ended", duration::print(scenario.starts)));
        }
        (None, false) => words.push(format!("starts {} into the run", duration::print(scenario.starts))),
        (None, true) => {}
    }
    if scenario.warmup {
        words.push("warm-up".to_owned());
    }
    words.join(", ")
}

/// Where the drawing ends. A plan has no endless load.
fn end(load: &Load) -> Duration {
    load.shape.duration().unwrap_or_default()
}

fn drawing(page: &mut Page, load: &Load) {
    let (shape, end) = (&*load.shape, end(load));
    if let Some(text) = steered(load) {
        page.line(&text);
    }
    let peak = shape.peak(end);
    let all =
        shape.steered().is_some_and(|steered| steered.from.is_zero() && steered.until.is_none_or(|until| until >= end));
    if peak > 0.0 && !all {
        chart(page, load, peak);
    }
    if shape.steered().is_some() {
        return;
    }
    let area = shape.integral(end);
    let lasts = duration::print(end);
    let mean = in_words(load.model, area / end.as_secs_f64());
    page.line(&match load.model {
        Model::Users => format!("{mean} on average for {lasts}"),
        Model::Rate if shape.randomized() => {
            format!(
                "{mean} on average for {lasts}, {} arrivals more or less, at random",
                count::print(area.round() as u64)
            )
        }
        Model::Rate => format!("{mean} on average for {lasts}, {} arrivals", count::print(area.ceil() as u64)),
    });
}

/// What is told of a load that is found while the test runs.
fn steered(load: &Load) -> Option<String> {
    let steered = load.shape.steered()?;
    let from = duration::print(steered.from);
    let from = if steered.from.is_zero() { String::new() } else { format!(" from {from} on") };
    Some(match &steered.how {
        Steering::Closure => format!("steered{from}: the closure says the load once a second, while the test runs"),
        Steering::Capacity(goal) => format!(
            "steered{from}: searches from {} up to {} for the highest load with {}, for {} at most",
            in_words(load.model, goal.start),
            in_words(load.model, goal.max),
            goal.objective,
            duration::print(steered.until.unwrap_or_default().saturating_sub(steered.from)),
        ),
    })
}

/// A value with its unit.
fn in_words(model: Model, value: f64) -> String {
    match model {
        Model::Users if value == 1.0 => "1 user".to_owned(),
        Model::Users => format!("{} users", human::number(value)),
        Model::Rate => human::rate(value),
    }
}

/// A value beside the drawing.
fn tick(model: Model, value: f64) -> String {
    match model {
        Model::Users => human::number(value),
        Model::Rate => human::rate(value),
    }
}

fn chart(page: &mut Page, load: &Load, peak: f64) {
    let (shape, end) = (&*load.shape, end(load));
    let ticks: Vec<String> =
        (0..HEIGHT)
            .map(|line| {
                if line % 4 == 0 { tick(load.model, peak * (1.0 - line as f64 / HEIGHT as f64)) } else { String::new() }
            })
            .collect();
    let beside = ticks.iter().map(|tick| tick.chars().count()).max().unwrap_or(0);
    // Two columns of indent, one each for a space and the axis, and one to breathe.
    let columns = page.width().saturating_sub(beside + 5).clamp(20, MOST_COLUMNS);
    let heights = heights(shape, end, columns, peak);
    let unknown = shape.steered().map_or(0..0, |steered| {
        place(steered.from, end, columns)..steered.until.map_or(columns, |until| place(until, end, columns) + 1)
    });
    if unknown.is_empty() {
        let top = summit(shape, end);
        let column = place(top, end, columns);
        let text = format!("peak {} at {}", in_words(load.model, peak), human::duration(top));
        let room = columns - column;
        let line = if room > text.chars().count() + 2 {
            format!("{}▾ {text}", " ".repeat(column))
        } else {
            format!("{text:>0$} ▾", column.saturating_sub(1))
        };
        page.drawn(&format!("{:beside$}  ", ""), &line.as_str().into());
    }
    for (line, tick) in ticks.iter().enumerate() {
        let floor = ((HEIGHT - 1 - line) * 8) as u32;
        let column = |(column, height): (usize, &u32)| {
            if unknown.contains(&column) { '░' } else { EIGHTHS[height.saturating_sub(floor).min(8) as usize] }
        };
        let bar: String = heights.iter().enumerate().map(column).collect();
        let axis = if tick.is_empty() { '│' } else { '┤' };
        page.drawn(&format!("{tick:>beside$} {axis}"), &Piece::tinted(&bar, Tint::Good));
    }
    let (axis, times) = times(end, columns);
    page.drawn(&format!("{:>beside$} └", "0"), &Piece::tinted(&axis, Tint::Dim));
    page.drawn(&format!("{:beside$}  ", ""), &Piece::tinted(&times, Tint::Dim));
}

/// The column of a moment.
fn place(at: Duration, end: Duration, columns: usize) -> usize {
    ((at.as_secs_f64() / end.as_secs_f64() * columns as f64) as usize).min(columns - 1)
}

/// For each column the highest value in it, in eighths of a line; what is there at all is seen.
fn heights(shape: &dyn Shape, end: Duration, columns: usize, peak: f64) -> Vec<u32> {
    let mut highest = vec![0.0_f64; columns];
    for (at, value) in outline(shape, end, LOOKS * u32::try_from(columns).unwrap_or(LOOKS)) {
        let column = place(at, end, columns);
        highest[column] = highest[column].max(value);
    }
    let eighths = (HEIGHT * 8) as f64;
    highest
        .iter()
        .map(|value| if *value > 0.0 { ((value / peak * eighths).round() as u32).max(1) } else { 0 })
        .collect()
}

/// The axis of time and what is written under it: the start, the quarters that have room, the end.
fn times(end: Duration, columns: usize) -> (String, String) {
    let mut axis = vec!['─'; columns];
    let mut words = String::from("0s");
    for quarter in 1..=4_u32 {
        let column = (columns * quarter as usize / 4).min(columns - 1);
        let word = human::duration(end * quarter / 4);
        // The last word ends with the axis; the others begin under their tick.
        let begins = if quarter == 4 { (column + 1).saturating_sub(word.chars().count()) } else { column };
        let written = words.chars().count();
        if begins > written && (quarter == 4 || begins + word.chars().count() + 10 < columns) {
            axis[column] = '┬';
            words.push_str(&" ".repeat(begins - written));
            words.push_str(&word);
        }
    }
    (axis.into_iter().collect(), words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Argument, build};
    use crate::plan::{Late, Work};
    use crate::report::sample;
    use std::sync::Arc;

    fn made(name: &str, given: &[Argument]) -> Arc<dyn Shape> {
        build(name, given).expect("a good shape")
    }

    fn seconds(seconds: u64) -> Argument {
        Argument::Duration(Duration::from_secs(seconds))
    }

    fn plan_of(loads: Vec<Work>) -> Plan {
        let mut plan = sample::plan();
        let scenario = plan.scenarios[0].clone();
        let named = loads.into_iter().enumerate();
        plan.scenarios = named
            .map(|(number, work)| Scenario { name: format!("scenario-{number}"), work, ..scenario.clone() })
            .collect();
        plan
    }

    fn text(plan: &Plan, width: usize, unicode: bool) -> String {
        shapes_text(plan, Style { color: false, width, unicode })
    }

    #[test]
    fn a_ramp_a_hold_and_a_ramp_down() {
        let up = made("ramp", &[Argument::Value(1.0), Argument::Value(20.0), seconds(5)]);
        let held = made("hold", &[Argument::Shape(up), seconds(20)]);
        let shape = made("ramp_to", &[Argument::Shape(held), Argument::Value(0.0), seconds(5)]);
        let mut plan = plan_of(vec![Work::Load(Load { model: Model::Users, shape })]);
        plan.scenarios[0].starts = Duration::from_secs(10);
        insta::assert_snapshot!(text(&plan, 70, true), @r#"
        LOAD scripts/shop.rhai

        scenario-0  starts 10s into the run
          users: ramp(1, 20, 5s).hold(20s).ramp_to(0, 5s)
                        ▾ peak 20 users at 5s
          20 ┤         ▅███████████████████████████████████████████▅
             │       ▁▇█████████████████████████████████████████████▆
             │      ▄█████████████████████████████████████████████████▃
             │     ▆███████████████████████████████████████████████████▅
          10 ┤   ▂██████████████████████████████████████████████████████▆
             │  ▄█████████████████████████████████████████████████████████▂
             │▁▇███████████████████████████████████████████████████████████▄
             │██████████████████████████████████████████████████████████████▆
           0 └───────────────┬───────────────┬───────────────┬──────────────┬
              0s             7.5s            15s             22.5s        30s
          16.75 users on average for 30s
        "#);
    }

    #[test]
    fn a_rate_in_plain_letters_and_fixed_work_in_words() {
        let wave = made("wave", &[Argument::Value(200.0), Argument::Value(150.0), seconds(60)]);
        let shape = made("during", &[Argument::Shape(wave), seconds(90)]);
        let rate = Work::Arrivals { load: Load { model: Model::Rate, shape }, max_users: 50, late: Late::Wait };
        let fixed = Work::Iterations { users: 5, iterations: 100, max_duration: Duration::from_secs(600) };
        let mut plan = plan_of(vec![rate, fixed]);
        plan.scenarios[1].after = Some("scenario-0".to_owned());
        insta::assert_snapshot!(text(&plan, 70, false), @r#"
        LOAD scripts/shop.rhai

        scenario-0
          rate: wave(200, 150, 1m).during(1m30s), by at most 50 users, late
          ones wait
                          v peak 350/s at 15s
          350/s |     oo######oo                              oo######oo
                |  .o############o.                        .o############o.
                |.o################o.                    .o################o.
                |####################o                  o####################
          175/s |######################o              o######################
                |########################o.        .o########################
                |###########################o....o###########################
                |############################################################
              0 +---------------+--------------+--------------+-------------+
                 0s             22.5s          45s            1m8s      1m30s
          231.8/s on average for 1m30s, 20865 arrivals

        scenario-1  starts when scenario-0 has ended
          100 iterations shared by 5 users, at most 10m
          as fast as its users can: there is no load over time to draw
        "#);
    }

    #[test]
    fn what_is_steered_is_not_drawn_as_if_it_were_known() {
        let named = [
            ("max", Argument::Value(1_000.0)),
            ("objective", Argument::Text("p(95) < 300ms".to_owned())),
            ("start", Argument::Value(10.0)),
        ];
        let named = named.map(|(name, argument)| (name.to_owned(), argument)).to_vec();
        let search = made("find_capacity", &[Argument::Named(named)]);
        let adaptive = made("during", &[Argument::Shape(made("adaptive", &[Argument::Closure])), seconds(60)]);
        let calm = made("hold", &[Argument::Shape(made("constant", &[Argument::Value(4.0)])), seconds(30)]);
        let both = made("then", &[Argument::Shape(calm), Argument::Shape(adaptive)]);
        let load = |shape| Load { model: Model::Users, shape };
        let plan = plan_of(vec![
            Work::Arrivals { load: Load { model: Model::Rate, shape: search }, max_users: 50, late: Late::Wait },
            Work::Load(load(both)),
        ]);
        insta::assert_snapshot!(text(&plan, 70, true), @r#"
        LOAD scripts/shop.rhai

        scenario-0
          rate: find_capacity(#{start: 10, max: 1000, objective: "p(95) <
          300ms"}), by at most 50 users, late ones wait
          steered: searches from 10/s up to 1000/s for the highest load with
          p(95) < 300ms, for 31m at most

        scenario-1
          users: constant(4).hold(30s).then(adaptive(|t, live| …).during(1m))
          steered from 30s on: the closure says the load once a second, while
          the test runs
          4 ┤█████████████████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░
            │█████████████████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░
            │█████████████████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░
            │█████████████████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░
          2 ┤█████████████████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░
            │█████████████████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░
            │█████████████████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░
            │█████████████████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░
          0 └────────────────┬───────────────┬───────────────┬──────────────┬
             0s              22.5s           45s             1m8s       1m30s
        "#);
        let wire = shapes_json(&plan);
        assert_eq!(wire["scenarios"][0]["steered"]["by"], "find_capacity");
        assert_eq!(wire["scenarios"][1]["steered"]["from_seconds"], 30.0);
        assert!(wire["scenarios"][1].get("peak").is_none());
    }

    #[test]
    fn points_for_programs() {
        let calm = made("hold", &[Argument::Shape(made("constant", &[Argument::Value(5.0)])), seconds(30)]);
        let jump = made("jump_to", &[Argument::Shape(calm), Argument::Value(50.0)]);
        let shape = made("hold", &[Argument::Shape(jump), seconds(30)]);
        let shape = made("randomized", &[Argument::Shape(shape)]);
        let rate = Work::Arrivals { load: Load { model: Model::Rate, shape }, max_users: 50, late: Late::Wait };
        let mut wire = shapes_json(&plan_of(vec![rate]));
        let scenario = &mut wire["scenarios"][0];
        let points = scenario["points"].take();
        insta::assert_json_snapshot!(scenario, @r#"
        {
          "name": "scenario-0",
          "model": "rate",
          "plan": "rate: constant(5).hold(30s).jump_to(50).hold(30s).randomized(), by at most 50 users, late ones wait",
          "starts_seconds": 0.0,
          "after": null,
          "warmup": false,
          "duration_seconds": 60.0,
          "randomized": true,
          "peak": 50.0,
          "peak_at_seconds": 30.0,
          "integral": 1650.0,
          "points": null
        }
        "#);
        let points = points.as_array().expect("a list");
        assert_eq!(points.len(), POINTS as usize + 3, "the ends of all stretches, and both sides of the jump");
        assert!(points.contains(&json!([30.0, 5.0])) && points.contains(&json!([30.0, 50.0])));
        assert_eq!(points[points.len() - 1], json!([60.0, 50.0]));
    }
}
