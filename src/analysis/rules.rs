//! The rules by which anything is concluded of a run: each with its formula, the data that it asks for and where it comes from.
//!
//! Named by every finding, score and forecast; `docs/analysis.md` is this table, and a test says when it is not.

/// One rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// What findings name it by.
    pub id: &'static str,
    /// What it finds.
    pub finds: &'static str,
    /// How, in words and numbers.
    pub formula: &'static str,
    /// The data without which it says nothing.
    pub minimum: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// What to do about it.
    pub advice: &'static str,
}

/// All rules. The generator comes first: where it is at its end, what follows measures the generator.
pub const RULES: [Rule; 13] = [
    Rule {
        id: "generator-saturated",
        finds: "punk itself, not the target, is what is slow",
        formula: "median over the last minute of punk_cpu > 0.85, of punk_loop_lag_p99 > 10 ms, or of punk_lateness_p99 > 10 ms",
        minimum: "10 seconds in which one of them was measured",
        source: "the limits at which punk calls its own measurement invalid; Schroeder, Wierman & Harchol-Balter (2006), Open versus closed, NSDI",
        advice: "use more shards or another machine, or less load, and measure again: what else is found here may be the generator's",
    },
    Rule {
        id: "target-cpu",
        finds: "the observed machine has no CPU left",
        formula: "median over the last minute of observed_cpu, the busiest machine, > 0.85",
        minimum: "an observed machine, 10 seconds of it",
        source: "utilisation law, U = X·S; Gregg (2013), the USE method",
        advice: "profile what runs on that machine, or give it more cores",
    },
    Rule {
        id: "littles-law",
        finds: "users that are alive and in no iteration",
        formula: "X·R / N < 0.75, with X iterations per second, R their mean duration, N the mean of users, over the last five minutes",
        minimum: "no open model; 30 seconds, 30 iterations, users within 10 % of their median, R at most a fifth of the stretch",
        source: "Little (1961), A proof for the queuing formula L = λW, Operations Research 9",
        advice: "look for pacing, backoff after errors, or a generator that starts iterations late",
    },
    Rule {
        id: "phase-attribution",
        finds: "the phase that takes most of a request's time, and so who is slow",
        formula: "sum of a phase / sum of http_req_total_duration > 0.5 over the last five minutes; of blocked, what is left without dns, connecting and tls is waiting for a connection",
        minimum: "100 requests",
        source: "the phases are disjoint parts of the total, so their shares add up to one",
        advice: "look where that phase is spent first: nothing else can make requests twice as fast",
    },
    Rule {
        id: "throughput-plateau",
        finds: "the number of users from which on more users bring no more throughput",
        formula: "log X = log a + min(log N, log K) fitted by least squares over levels of users leaves at most a quarter of the squares that X = a·N leaves, with 3 levels above K that reach to 1.5·K",
        minimum: "no open model; 6 levels of users, from N to 3·N at least, each with 2 pieces",
        source: "Jain (1991), The Art of Computer Systems Performance Analysis, the knee of a closed system: X(N) ≤ min(N/(R+Z), 1/S)",
        advice: "the knee is the capacity as it is: find what is full there before adding users",
    },
    Rule {
        id: "error-burst",
        finds: "a stretch in which many more requests failed than else",
        formula: "failures of a piece > n·p + 4·sqrt(n·p·(1-p)) and > 5 times p and at least 10, p the median share over all pieces; neighbours are one burst",
        minimum: "12 pieces with requests, fewer than half of them in bursts",
        source: "Shewhart's p-chart: control limits of a binomial share, here with four deviations, and the median in place of the mean",
        advice: "look at what happened at that time: errors, edits, deployments of the target",
    },
    Rule {
        id: "trend",
        finds: "whether a figure rises or falls",
        formula: "Theil-Sen slope; a trend when Mann-Kendall's p < 0.01, the 95 % interval excludes 0, and the change over the stretch is more than 5 % of the median",
        minimum: "12 pieces",
        source: "Sen (1968), J. Am. Stat. Assoc. 63; Kendall (1975); for values that follow each other the effective number of Yue & Wang (2004), Water Resources Management 18, with Student's t for few: of runs without a trend about 1 % look like one, also where each value keeps 0.6 of the one before",
        advice: "ask whether the load changed; when it did not, something fills up or wears out",
    },
    Rule {
        id: "change",
        finds: "whether a figure is another one than a minute ago",
        formula: "mean of the last minute - mean of the minute before, in percent of the latter; up or down beyond 1 % and beyond 4 standard errors, those made larger by sqrt((1 + 2·Σ(1-k/n)·r^k)) for an autocorrelation r",
        minimum: "6 pieces in either minute; of a run of less than two minutes the halves are compared",
        source: "two-sample comparison of means; effective number of values as in trend. Of figures that do not move at most 2 % are said to, also where each value keeps 0.6 of the one before",
        advice: "a minute says little: look at the trend",
    },
    Rule {
        id: "peak",
        finds: "the point that lies farthest from all others",
        formula: "|point - median| > 5·1.4826·MAD and > 0.2·median; MAD is the median distance of points from their median",
        minimum: "12 pieces",
        source: "Hampel identifier: Davies & Gather (1993), The identification of multiple outliers, J. Am. Stat. Assoc. 88",
        advice: "look at what happened at that time: errors, edits, deployments of the target",
    },
    Rule {
        id: "forecast",
        finds: "where a figure will be if nothing changes",
        formula: "the Theil-Sen line; the interval takes the ends of the slope's 95 % interval and the 5 % and 95 % quantiles of what the line leaves; never below 0, and no share above 1",
        minimum: "20 pieces; no further ahead than half of what was seen",
        source: "Sen (1968); empirical prediction interval from residuals",
        advice: "set a threshold with `forecast` where it matters",
    },
    Rule {
        id: "score-latency",
        finds: "how long the tail is",
        formula: "100·(1 - (log2(p99/p50) - 1) / 5), within 0 and 100: 100 up to twice the median, 0 from 64 times on",
        minimum: "1000 responses",
        source: "our own scale: what a user meets in the tail against what is usual",
        advice: "look at the slowest operations, and at what they wait for",
    },
    Rule {
        id: "score-errors",
        finds: "how many requests fail",
        formula: "100·(1 - share of failed requests / 0.05), within 0 and 100: 1 % of failures is 80",
        minimum: "100 requests",
        source: "our own scale",
        advice: "look at the errors first: failed requests are often fast and flatter everything else",
    },
    Rule {
        id: "score-throughput",
        finds: "how steady the throughput is",
        formula: "100·(1 - 1.4826·MAD / 0.5), within 0 and 100; MAD is the median distance from the Theil-Sen line, as a share of the median throughput",
        minimum: "12 pieces",
        source: "the MAD as a robust deviation: Rousseeuw & Croux (1993), J. Am. Stat. Assoc. 88",
        advice: "look for pauses of the target: collections, checkpoints, scaling",
    },
];

/// The rule of that name.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    /// The page is written by `PUNK_BLESS=1`, like all that are made from the code.
    #[test]
    fn the_page_of_the_book_is_this_table() {
        let mut page = String::from(
            "# What the analysis concludes, and by which rules\n\nMade from the code. Every finding, score and forecast names one of these rules, and no rule says anything with less data \
             than its minimum. The warm-up counts nowhere. Pieces are parts of the run of equal length, at most 120 of them.\n",
        );
        for rule in RULES {
            let Rule { id, finds, formula, minimum, source, advice } = rule;
            let _ = write!(
                page,
                "\n## {id}\n\nFinds {finds}.\n\n- **Formula**: `{formula}`\n- **Minimum**: {minimum}.\n- **Source**: {source}.\n- **What to do**: {advice}.\n"
            );
        }
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/analysis.md");
        if std::env::var("PUNK_BLESS").is_ok_and(|value| value == "1") {
            std::fs::write(&path, &page).unwrap();
        }
        let book = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(book == page, "docs/analysis.md is stale: `PUNK_BLESS=1 cargo test analysis` writes it anew");
        assert!(RULES.iter().all(|one| rule(one.id) == Some(one)), "two rules have one name");
    }
}
