//! The reference pages of the book, made from the code: a page that is stale fails here, and `PUNK_BLESS=1 cargo test
//! reference` writes it anew. A name that scripts can use and that has no line in `src/script/names.txt` fails as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use clap::CommandFactory;
use punk::load::SHAPES;
use punk::plan::Limits;
use punk::script::reference::{self, Section};
use serde_json::Value;

/// Compares a page with what the code says, or writes it.
fn fresh(page: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
    if std::env::var("PUNK_BLESS").is_ok_and(|value| value == "1") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let book = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(book == text, "docs/{page} is stale: `PUNK_BLESS=1 cargo test reference` writes it anew");
}

/// The functions and properties that the engine has, as the table writes them, with their numbers of arguments; `None`
/// for a property.
fn registered() -> BTreeMap<String, Option<BTreeSet<usize>>> {
    let engine = punk::script::machine::engine(&Limits::default());
    let json = engine.gen_fn_metadata_to_json(false).unwrap();
    let mut found = BTreeMap::new();
    collect(&serde_json::from_str(&json).unwrap(), "", &mut found);
    found
}

fn collect(module: &Value, path: &str, found: &mut BTreeMap<String, Option<BTreeSet<usize>>>) {
    for (name, inner) in module["modules"].as_object().into_iter().flatten() {
        collect(inner, &format!("{path}{name}::"), found);
    }
    for function in module["functions"].as_array().into_iter().flatten() {
        let name = function["name"].as_str().unwrap();
        let receiver = function["params"][0]["type"].as_str().and_then(|kind| kind.strip_prefix("&mut "));
        let receiver = receiver.map(|kind| if matches!(kind, "i64" | "f64") { "number" } else { kind });
        // Every type prints, indexes and compares: said once in the type's introduction.
        let is_word = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        if let (Some(property), Some(kind)) = (name.strip_prefix("get$"), receiver) {
            found.entry(format!("{kind}.{property}")).or_insert(None);
            continue;
        }
        if !is_word || matches!(name, "to_string" | "to_debug") {
            continue;
        }
        let arguments = function["numParams"].as_u64().unwrap() as usize;
        let (name, arguments) = match receiver {
            Some(kind) => (format!("{kind}.{name}"), arguments - 1),
            None => (format!("{path}{name}"), arguments),
        };
        let arities = found.entry(name).or_insert_with(|| Some(BTreeSet::new()));
        arities.get_or_insert_with(BTreeSet::new).insert(arguments);
    }
}

#[test]
fn every_name_that_scripts_can_use_is_described_and_every_description_is_of_one() {
    let mut registered = registered();
    for shape in SHAPES {
        // Shapes describe themselves; a method's receiver counts.
        let arities = registered.remove(shape.name).flatten();
        assert_eq!(arities, Some([shape.parameters.len()].into()), "shape `{}`", shape.name);
    }
    let mut faults = Vec::new();
    for line in reference::names().iter().flat_map(|section| &section.lines) {
        match (registered.remove(line.name()), line.arities()) {
            (None, _) => faults.push(format!("`{}` is described and does not exist", line.call)),
            // Of a threshold the first argument may be missing, which `arities` does not read.
            (Some(Some(real)), Some(written)) if real != written && line.name() != "threshold" => {
                faults.push(format!("`{}` is called with {real:?} arguments", line.call));
            }
            _ => {}
        }
    }
    faults.extend(registered.keys().map(|name| format!("`{name}` has no line in src/script/names.txt")));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The keys that a map of options knows, as punk tells them to someone who wrote none of them.
fn known_keys(script: &str) -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.rhai");
    std::fs::write(&path, script).unwrap();
    let compiled = punk::script::compile::compile(&path, &punk::script::overrides::Overrides::default());
    let helps = compiled.diagnostics.iter().filter_map(|diagnostic| diagnostic.help.as_deref());
    let mut listed = helps.filter_map(|help| help.strip_prefix("the options are "));
    let listed = listed.next().unwrap_or_else(|| panic!("no list for {script}: {:?}", compiled.diagnostics));
    listed.split(", ").map(str::to_owned).collect()
}

#[test]
fn every_option_is_described_and_every_description_is_of_one() {
    let within = |key: &str| format!("options(#{{ {key}: #{{ xxxxxxxxxxxx: 1 }} }}); fn run() {{}}");
    let mut http = BTreeSet::new();
    for section in reference::keys() {
        let script = match section.title {
            "options" => "options(#{ xxxxxxxxxxxx: 1 }); fn run() {}".to_owned(),
            "scenario" => {
                "scenario(\"a\", #{ users: 1, duration: 1.s, run: f, xxxxxxxxxxxx: 1 }); fn f() {}".to_owned()
            }
            "threshold" => "threshold(\"checks\", \"rate > 0.5\", #{ xxxxxxxxxxxx: 1 }); fn run() {}".to_owned(),
            "alert" => {
                "alert(\"a\", #{ when: \"value of vus > 1\", xxxxxxxxxxxx: 1 }); fn run() {}".to_owned()
            }
            "notify" => {
                "alert(\"a\", #{ when: \"value of vus > 1\", notify: #{ url: \"http://a\", xxxxxxxxxxxx: 1 } }); fn run() {}"
                    .to_owned()
            }
            "metric" => "metric::trend(\"m\", #{ xxxxxxxxxxxx: 1 }); fn run() {}".to_owned(),
            "csv" => "feed(\"f\", feed::csv(\"f.csv\", #{ xxxxxxxxxxxx: 1 })); fn run() {}".to_owned(),
            "request" => continue, // tested beside its list, in src/script/reference.rs
            nested => within(nested),
        };
        let written: BTreeSet<String> = section.lines.iter().map(|line| line.call.to_owned()).collect();
        assert_eq!(known_keys(&script), written, "{}", section.title);
        if section.title == "options" {
            let until = section.lines.iter().position(|line| line.call == "allow_hosts").unwrap();
            http = section.lines[..=until].iter().map(|line| line.call.to_owned()).collect();
        }
    }
    let script = "scenario(\"a\", #{ users: 1, duration: 1.s, run: f, options: #{ xxxxxxxxxxxx: 1 } }); fn f() {}";
    assert_eq!(known_keys(script), http, "the options of a scenario, from `base_url` to `allow_hosts`");
}

const HEAD: &str = "<!-- Made from the code; `PUNK_BLESS=1 cargo test reference` writes it anew. -->\n";

fn anchor(title: &str) -> String {
    title.to_lowercase().replace(' ', "-")
}

fn table(out: &mut String, section: &Section, with_default: bool) {
    if !section.intro.is_empty() {
        writeln!(out, "{}\n", section.intro).unwrap();
    }
    out.push_str(if with_default {
        "| key | default | meaning |\n|---|---|---|\n"
    } else {
        "| name | what it does |\n|---|---|\n"
    });
    for line in &section.lines {
        let default = if with_default { format!(" {} |", line.default) } else { String::new() };
        writeln!(out, "| `{}` |{default} {} |", line.call, line.text).unwrap();
    }
    out.push('\n');
}

#[test]
fn the_script_reference_is_fresh() {
    let mut page = format!("# Script reference\n\n{HEAD}\n");
    page.push_str(
        "Every name that a script can use beside [Rhai's own](https://rhai.rs/book). `[, x]` may be left out.\n\n",
    );
    let (names, keys) = (reference::names(), reference::keys());
    let link = |title: &str| format!("[{title}](#{})", anchor(title));
    let listed = names.iter().map(|section| link(section.title)).collect::<Vec<_>>().join(" · ");
    let options =
        keys.iter().map(|section| link(&format!("Options: {}", section.title)).replace("#options:", "#options"));
    let libraries: String = reference::library()
        .iter()
        .map(|library| format!(" · [{0}](#{1})", library.path, library.path.replace('/', "")))
        .collect();
    writeln!(
        page,
        "{listed} · [Load shapes](#load-shapes){libraries}\n\n{}\n",
        options.collect::<Vec<_>>().join(" · ")
    )
    .unwrap();
    for section in &names {
        writeln!(page, "## {}\n", section.title).unwrap();
        table(&mut page, section, false);
    }
    page.push_str(
        "## Load shapes\n\nFor `users:`. A dot before the name: a method of a shape. See [load](../load.md).\n\n",
    );
    page.push_str("| shape | what it does |\n|---|---|\n");
    for shape in SHAPES {
        writeln!(page, "| `{}` | {} |", shape.signature, shape.summary).unwrap();
    }
    page.push('\n');
    for library in reference::library() {
        let name = library.path.rsplit('/').next().unwrap();
        writeln!(page, "## {}\n\n`import \"{}\" as {name};` {}\n", library.path, library.path, library.intro).unwrap();
        page.push_str("| name | what it does |\n|---|---|\n");
        for (call, text) in &library.functions {
            writeln!(page, "| `{call}` | {text} |").unwrap();
        }
        page.push('\n');
    }
    for section in &keys {
        writeln!(page, "## Options: {}\n", section.title).unwrap();
        table(&mut page, section, true);
    }
    fresh("reference/script-api.md", &format!("{}\n", page.trim_end()));
}

#[test]
fn the_page_of_the_command_line_is_fresh() {
    // What the environment of the test holds and how wide its terminal is must not show.
    let cli = punk::cli::Cli::command().term_width(100).mut_args(|argument| argument.hide_env_values(true));
    let mut page = format!("# Command line\n\n{HEAD}\n");
    page.push_str(
        "`punk SCRIPT` is `punk run SCRIPT`. A flag wins over its `PUNK_…` variable, both win over the script.\n",
    );
    page.push_str("What exit codes mean: [results](results.md#exit-codes).\n");
    let mut commands: Vec<clap::Command> = vec![cli.clone()];
    commands.extend(cli.get_subcommands().map(|command| {
        let name = format!("punk {}", command.get_name());
        command.clone().term_width(100).mut_args(|argument| argument.hide_env_values(true)).bin_name(name)
    }));
    for mut command in commands {
        let name = command.get_bin_name().unwrap_or("punk").to_owned();
        let help = command.render_long_help().to_string();
        let help: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
        writeln!(page, "\n## {name}\n\n```text\n{}\n```", help.join("\n")).unwrap();
    }
    fresh("cli.md", &page);
}

#[test]
fn the_contract_of_the_monitor_is_fresh() {
    fresh("reference/openapi.json", &punk::api::contract());
}
