//! Every way in which editors save gives one edit with the right text. Nothing here is about how long that takes: who waits,
//! waits for a Command.

use super::*;
use proptest::prelude::*;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// A script whose only difference is a number.
fn script(number: u64) -> String {
    format!("scenario(\"a\", #{{ users: 1, duration: 9.s, run: a }});\nfn a() {{ {number} }}\n")
}

/// A folder with a script that is watched.
struct Desk {
    folder: TempDir,
    main: PathBuf,
    told: UnboundedReceiver<Command>,
    reload: Option<Reload>,
}

impl Drop for Desk {
    fn drop(&mut self) {
        let why = self.reload.take().and_then(Reload::end);
        if !thread::panicking() {
            assert_eq!(why, None, "it ends without a panic");
        }
    }
}

impl Desk {
    /// `prepare` makes the files and says which is the script.
    fn with(prepare: impl FnOnce(&Path) -> PathBuf) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let main = prepare(folder.path());
        let compiled = super::super::on_large_stack(|| compile(&main, &Overrides::default()));
        let plan = compiled.plan.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
        let (commands, told) = unbounded_channel();
        let watch = Watch { path: main.clone(), overrides: Overrides::default() };
        let reload = Some(Reload::start(&watch, None, &plan, &commands).unwrap());
        Desk { folder, main, told, reload }
    }

    fn new() -> Self {
        Self::with(|folder| {
            let main = folder.join("main.rhai");
            fs::write(&main, script(0)).unwrap();
            main
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn next(&mut self) -> Command {
        let began = Instant::now();
        loop {
            match self.told.try_recv() {
                Ok(command) => return command,
                Err(_) => assert!(began.elapsed() < Duration::from_secs(60), "nothing is told"),
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The texts of the next edit.
    fn edit(&mut self) -> Vec<String> {
        match self.next() {
            Command::Edit { by: Author::File, plan } => plan.0.sources.iter().map(|file| file.text.clone()).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn broken(&mut self) -> Option<String> {
        match self.next() {
            Command::BrokenEdit { by: Author::File, text } => text,
            other => panic!("{other:?}"),
        }
    }

    /// The next edit is that of another save: there was none between.
    fn and_nothing_else(&mut self, number: u64) {
        fs::write(&self.main, script(number)).unwrap();
        assert_eq!(self.edit(), [script(number)]);
    }
}

fn rename_over(path: &Path, text: &str) {
    let draft = path.with_extension("tmp");
    fs::write(&draft, text).unwrap();
    fs::rename(&draft, path).unwrap();
}

#[test]
fn truncate_and_write() {
    let mut desk = Desk::new();
    fs::write(&desk.main, script(1)).unwrap();
    assert_eq!(desk.edit(), [script(1)]);
    desk.and_nothing_else(2);
}

#[test]
fn rename_over_the_file_again_and_again() {
    let mut desk = Desk::new();
    for number in 1..4 {
        rename_over(&desk.main, &script(number));
        assert_eq!(desk.edit(), [script(number)]);
    }
    desk.and_nothing_else(4);
}

#[test]
fn the_old_file_becomes_a_backup_and_a_new_one_is_written() {
    let mut desk = Desk::new();
    fs::rename(&desk.main, desk.path("main.rhai~")).unwrap();
    fs::write(&desk.main, script(1)).unwrap();
    assert_eq!(desk.edit(), [script(1)]);
    desk.and_nothing_else(2);
}

#[test]
fn delete_and_create_again() {
    let mut desk = Desk::new();
    fs::remove_file(&desk.main).unwrap();
    thread::sleep(Duration::from_millis(150));
    fs::write(&desk.main, script(1)).unwrap();
    assert_eq!(desk.edit(), [script(1)]);
    desk.and_nothing_else(2);
}

#[test]
fn a_link_that_points_elsewhere() {
    let mut desk = Desk::with(|folder| {
        fs::create_dir(folder.join("versions")).unwrap();
        for number in 0..2 {
            fs::write(folder.join(format!("versions/{number}.rhai")), script(number)).unwrap();
        }
        symlink("versions/0.rhai", folder.join("main.rhai")).unwrap();
        folder.join("main.rhai")
    });
    symlink("versions/1.rhai", desk.path("next")).unwrap();
    fs::rename(desk.path("next"), &desk.main).unwrap();
    assert_eq!(desk.edit(), [script(1)]);
    fs::write(desk.path("versions/1.rhai"), script(2)).unwrap();
    assert_eq!(desk.edit(), [script(2)], "what the link points to now is watched");
    desk.and_nothing_else(3);
}

#[test]
fn a_linked_folder_as_of_a_config_map() {
    let mut desk = Desk::with(|folder| {
        for number in 0..3_u64 {
            fs::create_dir(folder.join(format!("..{number}"))).unwrap();
            fs::write(folder.join(format!("..{number}/main.rhai")), script(number)).unwrap();
        }
        symlink("..0", folder.join("..data")).unwrap();
        symlink("..data/main.rhai", folder.join("main.rhai")).unwrap();
        folder.join("main.rhai")
    });
    for number in 1..3 {
        symlink(format!("..{number}"), desk.path("..data_tmp")).unwrap();
        fs::rename(desk.path("..data_tmp"), desk.path("..data")).unwrap();
        fs::remove_dir_all(desk.path(&format!("..{}", number - 1))).unwrap();
        assert_eq!(desk.edit(), [script(number)]);
    }
    desk.and_nothing_else(3);
}

#[test]
fn the_folder_itself_is_replaced() {
    let mut desk = Desk::with(|folder| {
        fs::create_dir(folder.join("test")).unwrap();
        fs::write(folder.join("test/main.rhai"), script(0)).unwrap();
        folder.join("test/main.rhai")
    });
    for number in 1..3 {
        fs::create_dir(desk.path("next")).unwrap();
        fs::write(desk.path("next/main.rhai"), script(number)).unwrap();
        fs::remove_dir_all(desk.path("test")).unwrap();
        fs::rename(desk.path("next"), desk.path("test")).unwrap();
        assert_eq!(desk.edit(), [script(number)]);
    }
    desk.and_nothing_else(3);
}

#[test]
fn a_file_that_is_written_in_two_parts() {
    let mut desk = Desk::new();
    let text = script(1);
    let (first, second) = text.split_at(text.len() / 2);
    let mut file = File::create(&desk.main).unwrap();
    file.write_all(first.as_bytes()).unwrap();
    thread::sleep(Duration::from_millis(100));
    file.write_all(second.as_bytes()).unwrap();
    assert_eq!(desk.edit(), [text]);
    desk.and_nothing_else(2);
}

#[test]
fn what_changes_no_text_is_no_edit() {
    let mut desk = Desk::new();
    fs::set_permissions(&desk.main, fs::Permissions::from_mode(0o640)).unwrap();
    File::options().write(true).open(&desk.main).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
    fs::write(&desk.main, script(0)).unwrap();
    rename_over(&desk.main, &script(0));
    fs::write(desk.path("other.rhai"), "fn not_of_this_script() {").unwrap();
    desk.and_nothing_else(1);
}

#[test]
fn the_same_length_at_the_same_time_is_still_another_text() {
    let mut desk = Desk::new();
    let time = fs::metadata(&desk.main).unwrap().modified().unwrap();
    fs::write(&desk.main, script(1)).unwrap();
    File::options().write(true).open(&desk.main).unwrap().set_modified(time).unwrap();
    assert_eq!(desk.edit(), [script(1)]);
}

#[test]
fn imports_are_watched_from_when_they_are_imported() {
    let main = |name: &str| format!("import \"{name}\" as lib;\nfn run() {{ lib::page() }}\n");
    let page = |number: u64| format!("fn page() {{ {number} }}\n");
    let mut desk = Desk::with(|folder| {
        fs::create_dir(folder.join("lib")).unwrap();
        fs::write(folder.join("lib/one.rhai"), page(0)).unwrap();
        fs::write(folder.join("main.rhai"), main("lib/one")).unwrap();
        folder.join("main.rhai")
    });
    fs::write(desk.path("lib/one.rhai"), page(1)).unwrap();
    assert_eq!(desk.edit(), [main("lib/one"), page(1)]);
    // The import comes before its file, in a folder that is not there yet.
    fs::write(&desk.main, main("more/two")).unwrap();
    let text = desk.broken().unwrap();
    assert!(text.contains("cannot import `more/two`"), "{text}");
    fs::create_dir(desk.path("more")).unwrap();
    fs::write(desk.path("more/two.rhai"), page(2)).unwrap();
    assert_eq!(desk.edit(), [main("more/two"), page(2)]);
    fs::write(desk.path("lib/one.rhai"), page(3)).unwrap();
    fs::write(desk.path("more/two.rhai"), page(4)).unwrap();
    assert_eq!(desk.edit(), [main("more/two"), page(4)], "the old import is of no interest any more");
}

#[test]
fn broken_once_told_once_and_mended() {
    let mut desk = Desk::new();
    fs::write(&desk.main, "scenario(\"a\", #{ users: 1, duration: 9.s, run: b });\nfn a() { 1 }\n").unwrap();
    let text = desk.broken().unwrap();
    assert!(text.contains("main.rhai:1") && text.contains('b') && !text.contains('\u{1b}'), "{text}");
    rename_over(&desk.main, "scenario(\"a\", #{ users: ");
    let text = desk.broken().unwrap();
    assert!(text.contains("error"), "{text}");
    fs::write(&desk.main, script(0)).unwrap();
    assert_eq!(desk.broken(), None, "mended, as it was");
    desk.and_nothing_else(1);
    fs::write(&desk.main, "fn").unwrap();
    assert!(desk.broken().is_some());
    desk.and_nothing_else(2);
}

#[test]
fn a_file_that_stays_away_is_broken_until_it_is_back() {
    let mut desk = Desk::new();
    fs::remove_file(&desk.main).unwrap();
    let text = desk.broken().unwrap();
    assert!(text.contains("cannot read"), "{text}");
    fs::create_dir(&desk.main).unwrap();
    let text = desk.broken().unwrap();
    assert!(text.contains("it is not a file"), "{text}");
    fs::remove_dir(&desk.main).unwrap();
    assert!(desk.broken().unwrap().contains("cannot read"));
    fs::write(&desk.main, script(0)).unwrap();
    assert_eq!(desk.broken(), None);
    desk.and_nothing_else(1);
}

#[test]
fn an_edit_before_the_first_look_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("main.rhai");
    fs::write(&main, script(0)).unwrap();
    let compiled = super::super::on_large_stack(|| compile(&main, &Overrides::default()));
    fs::write(&main, script(1)).unwrap();
    let (commands, told) = unbounded_channel();
    let watch = Watch { path: main.clone(), overrides: Overrides::default() };
    let reload = Some(Reload::start(&watch, None, &compiled.plan.unwrap(), &commands).unwrap());
    let mut desk = Desk { folder, main, told, reload };
    assert_eq!(desk.edit(), [script(1)]);
}

/// One way to save.
#[derive(Debug, Clone, Copy)]
enum Save {
    Write,
    Rename,
    Recreate,
    Backup,
    Link,
    Halves,
    Touch,
    Broken,
}

fn save(way: Save, main: &Path, number: u64) {
    let text = script(number);
    match way {
        Save::Write => fs::write(main, text).unwrap(),
        Save::Rename => rename_over(main, &text),
        Save::Recreate => {
            fs::remove_file(main).unwrap();
            fs::write(main, text).unwrap();
        }
        Save::Backup => {
            fs::rename(main, main.with_extension("old")).unwrap();
            fs::write(main, text).unwrap();
        }
        Save::Link => {
            let target = main.with_file_name(format!("{number}.rhai"));
            fs::write(&target, text).unwrap();
            symlink(&target, main.with_extension("link")).unwrap();
            fs::rename(main.with_extension("link"), main).unwrap();
        }
        Save::Halves => {
            let (first, second) = text.split_at(text.len() / 3);
            let mut file = File::create(main).unwrap();
            file.write_all(first.as_bytes()).unwrap();
            file.sync_all().unwrap();
            file.write_all(second.as_bytes()).unwrap();
        }
        Save::Touch => {
            File::options().write(true).open(main).unwrap().set_modified(std::time::SystemTime::now()).unwrap()
        }
        Save::Broken => fs::write(main, "fn (").unwrap(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_saved_in_whatever_way_the_last_text_wins(
        saves in prop::collection::vec((prop_oneof![
            Just(Save::Write), Just(Save::Rename), Just(Save::Recreate), Just(Save::Backup), Just(Save::Link),
            Just(Save::Halves), Just(Save::Touch), Just(Save::Broken)
        ], prop_oneof![3 => Just(0_u64), 1 => 0..90_u64]), 50)
    ) {
        let mut desk = Desk::new();
        for (number, (way, pause)) in saves.into_iter().enumerate() {
            save(way, &desk.main, number as u64 + 1);
            thread::sleep(Duration::from_millis(pause));
        }
        save(Save::Write, &desk.main, 999);
        let mut last = None;
        while last.as_ref() != Some(&script(999)) {
            if let Command::Edit { plan, .. } = desk.next() {
                last = Some(plan.0.sources[0].text.clone());
            }
        }
        desk.and_nothing_else(1_000);
    }
}
