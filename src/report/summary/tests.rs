//! The summary against its schema, and its shape.

use crate::control::Author;
use crate::plan::Late;
use crate::report::sample::{self, Run};
use crate::snapshot::BrokenEdit;
use crate::snapshot::Intervention;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;
use std::time::Duration;

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let text = include_str!("../../../docs/summary.schema.json");
    let schema: Value = serde_json::from_str(text).expect("the schema is JSON");
    jsonschema::validator_for(&schema).expect("the schema is a schema")
});

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.summary().to_json()).expect("a summary is JSON")
}

fn problems(document: &Value) -> Vec<String> {
    SCHEMA.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn real_summaries_follow_the_schema() {
    let mut stopped = sample::typical();
    stopped.facts = sample::failed(105, "it was interrupted by a signal");
    let mut changed = sample::stalled(Late::Wait);
    changed.snapshot.interventions = vec![Intervention {
        at: Duration::from_millis(2_500),
        by: Author::Signal,
        what: "paused".into(),
        refused: Some("it is over".into()),
    }]
    .into();
    let mut unmended = sample::typical();
    unmended.snapshot.broken_edit =
        Some(BrokenEdit { at: Duration::from_secs(9), by: Author::File, text: "error: what is this?".into() });
    let others = [sample::typical(), sample::empty(), sample::refused(), sample::of_operations(&["a", "b"])];
    let runs = others.into_iter().chain([stopped, changed, sample::edited(), unmended]);
    for run in runs {
        let document = json(&run);
        assert_eq!(problems(&document), Vec::<String>::new(), "{document:#}");
    }
}

#[test]
fn wrong_documents_are_refused() {
    let right = json(&sample::typical());
    let wrong: [(&str, Value); 8] = [
        ("/verdict", json!("great")),
        ("/schema_version", json!(2)),
        ("/metrics/http_req_failed/values/rate", json!(1.33)),
        ("/operations/0/error_rate", json!(101)),
        ("/operations/0/count", json!(-1)),
        ("/duration_seconds", Value::Null),
        ("/started_at", json!("yesterday")),
        ("/thresholds/0/severity", json!("fatal")),
    ];
    for (pointer, value) in wrong {
        let mut document = right.clone();
        *document.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
        assert!(!problems(&document).is_empty(), "{pointer}");
    }
    for field in right.as_object().expect("an object").keys() {
        let mut document = right.clone();
        document.as_object_mut().expect("an object").remove(field);
        assert!(!problems(&document).is_empty(), "{field} may not be missing");
    }
    let mut document = right;
    document["extra"] = json!(1);
    assert!(!problems(&document).is_empty(), "unknown fields are told");
}

#[test]
fn an_empty_run_measures_nothing_and_says_so() {
    let document = json(&sample::empty());
    assert_eq!(document["operations"], json!([]));
    assert_eq!(document["metrics"]["http_reqs"]["values"], json!({ "count": 0 }));
    assert_eq!(document["metrics"].get("http_req_duration"), None, "absent is not measured");
    assert_eq!(document["duration_seconds"], json!(0));
}

#[test]
fn the_open_model_accounts_for_every_arrival() {
    let document = json(&sample::stalled(Late::Wait));
    let row = &document["scenarios"][0];
    let numbers = ["arrivals", "started", "dropped", "waiting", "max_users"].map(|field| row[field].as_u64());
    assert_eq!(numbers, [10_000, 9_962, 38, 0, 50].map(Some));
    let p99 = |metric: &str| document["metrics"][metric]["values"]["p(99)"].as_f64().expect(metric).round();
    assert_eq!((p99("http_req_duration"), p99("http_req_scheduled_duration")), (5.0, 1812.0));
    assert_eq!(document["metrics"]["iteration_lateness_censored"]["values"]["count"], json!(38));
    let own = document["generator"]["lateness_p99_ms"].as_f64().expect("a number");
    assert!((own - 0.119).abs() < 0.002, "own lateness, not that of waiting arrivals: {own}");
    assert_eq!(json(&sample::typical())["scenarios"][0].get("arrivals"), None, "the closed model has no arrivals");
}

#[test]
fn the_parts_that_thresholds_name_are_there() {
    let document = json(&sample::typical());
    let part = &document["metrics"]["http_req_duration"]["tags"]["name:product"]["values"];
    assert_eq!((&part["count"], &part["min"]), (&json!(400), &json!(10)));
}

#[test]
fn shares_are_percent_outside_values() {
    let document = json(&sample::typical());
    assert_eq!(document["operations"][1]["error_rate"], json!(2));
    let rate = document["metrics"]["http_req_failed"]["values"]["rate"].as_f64().expect("a number");
    assert!((rate - 12.0 / 901.0).abs() < 1e-6, "{rate}");
}

#[test]
fn a_typical_summary() {
    let mut document = json(&sample::typical());
    document["options"] = json!("(see plan_json)");
    document["punk_version"] = json!("(version)");
    // One line each, so that the golden text stays readable.
    for list in ["metrics", "operations", "scenarios", "checks", "thresholds", "errors"] {
        match &mut document[list] {
            Value::Array(rows) => rows.iter_mut().for_each(|row| *row = json!(row.to_string().replace('"', "'"))),
            Value::Object(rows) => rows.values_mut().for_each(|row| *row = json!(row.to_string().replace('"', "'"))),
            _ => {}
        }
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&document).expect("JSON"), @r#"
    {
      "schema_version": 1,
      "punk_version": "(version)",
      "verdict": "passed",
      "exit_code": 0,
      "exit_reason": [],
      "scripts": [
        {
          "path": "scripts/shop.rhai",
          "sha256": "6f5902ac237024bdd0c176cb93063dc4e2f3d2c1b1a09d7c8e9b0a1f2c3d4e5f"
        }
      ],
      "revision": 1,
      "edits": [],
      "unlisted_edits": 0,
      "code_revisions": [],
      "interventions": [],
      "unlisted_interventions": 0,
      "seed": 42,
      "started_at": "2026-01-18T15:30:45.250Z",
      "duration_seconds": 30,
      "options": "(see plan_json)",
      "scenarios": [
        "{'name':'browse','model':'users','plan':'users: constant(20).during(30s)','iterations':400,'dropped':0,'interrupted':1,'users_max':20}",
        "{'name':'checkout','model':'iterations','plan':'100 iterations shared by 5 users, at most 10m','iterations':100,'dropped':0,'interrupted':0,'users_max':20}"
      ],
      "metrics": {
        "iterations": "{'type':'counter','unit':'plain','values':{'count':500,'rate':16.666667}}",
        "iteration_duration": "{'type':'trend','unit':'time','values':{'count':500,'rate':16.666667,'avg':955.9,'min':61,'med':1141.759,'max':1329.25,'p(90)':1292.287,'p(95)':1310.719,'p(99)':1326.079,'p(99.9)':1329.25}}",
        "dropped_iterations": "{'type':'counter','unit':'plain','values':{'count':0,'rate':0}}",
        "checks": "{'type':'rate','unit':'plain','values':{'rate':0.988889,'passes':890,'fails':10}}",
        "group_duration": "{'type':'trend','unit':'time','values':{'count':100,'rate':3.333333,'avg':60,'min':60,'med':60,'max':60,'p(90)':60,'p(95)':60,'p(99)':60,'p(99.9)':60}}",
        "script_errors": "{'type':'counter','unit':'plain','values':{'count':1,'rate':0.033333}}",
        "http_reqs": "{'type':'counter','unit':'plain','values':{'count':902,'rate':30.066667}}",
        "http_reqs_unsent": "{'type':'counter','unit':'plain','values':{'count':3,'rate':0.1}}",
        "http_req_failed": "{'type':'rate','unit':'plain','values':{'rate':0.013319,'passes':12,'fails':889}}",
        "http_req_duration": "{'type':'trend','unit':'time','values':{'count':898,'rate':29.933333,'avg':86.011693,'min':5,'med':71.551,'max':219.5,'p(90)':175.103,'p(95)':197.503,'p(99)':215.551,'p(99.9)':219.5},'tags':{'name:product':{'values':{'count':400,'rate':13.333333,'avg':59.875,'min':10,'med':59.775,'max':109.75,'p(90)':99.775,'p(95)':104.767,'p(99)':108.799,'p(99.9)':109.75}}}}",
        "http_req_total_duration": "{'type':'trend','unit':'time','values':{'count':901,'rate':30.033333,'avg':85.920067,'min':5.01,'med':71.551,'max':219.51,'p(90)':174.591,'p(95)':197.119,'p(99)':215.039,'p(99.9)':219.51}}",
        "http_req_blocked": "{'type':'trend','unit':'time','values':{'count':901,'rate':30.033333,'avg':0.194761,'min':0.01,'med':0.01,'max':55.5,'p(90)':0.01,'p(95)':0.01,'p(99)':0.01,'p(99.9)':55.5}}",
        "http_req_dns": "{'type':'trend','unit':'time','values':{'count':901,'rate':30.033333,'avg':0,'min':0,'med':0,'max':0,'p(90)':0,'p(95)':0,'p(99)':0,'p(99.9)':0}}",
        "http_req_connecting": "{'type':'trend','unit':'time','values':{'count':901,'rate':30.033333,'avg':0.184795,'min':0,'med':0,'max':55.5,'p(90)':0,'p(95)':0,'p(99)':0,'p(99.9)':55.5}}",
        "http_req_tls_handshaking": "{'type':'trend','unit':'time','values':{'count':901,'rate':30.033333,'avg':0,'min':0,'med':0,'max':0,'p(90)':0,'p(95)':0,'p(99)':0,'p(99.9)':0}}",
        "http_req_sending": "{'type':'trend','unit':'time','values':{'count':898,'rate':29.933333,'avg':0.05,'min':0.05,'med':0.05,'max':0.05,'p(90)':0.05,'p(95)':0.05,'p(99)':0.05,'p(99.9)':0.05}}",
        "http_req_waiting": "{'type':'trend','unit':'time','values':{'count':898,'rate':29.933333,'avg':85.861693,'min':4.85,'med':71.359,'max':219.35,'p(90)':174.975,'p(95)':197.375,'p(99)':215.423,'p(99.9)':219.35}}",
        "http_req_receiving": "{'type':'trend','unit':'time','values':{'count':898,'rate':29.933333,'avg':0.1,'min':0.1,'med':0.1,'max':0.1,'p(90)':0.1,'p(95)':0.1,'p(99)':0.1,'p(99.9)':0.1}}",
        "http_connections_opened": "{'type':'counter','unit':'plain','values':{'count':0,'rate':0}}",
        "http_connections_failed": "{'type':'counter','unit':'plain','values':{'count':0,'rate':0}}",
        "http_connections_lost": "{'type':'counter','unit':'plain','values':{'count':0,'rate':0}}",
        "data_sent": "{'type':'counter','unit':'data','values':{'count':107850,'rate':3595}}",
        "data_received": "{'type':'counter','unit':'data','values':{'count':1839104,'rate':61303.466667}}",
        "cart_value": "{'type':'trend','unit':'plain','values':{'count':100,'rate':3.333333,'avg':50,'min':0.5,'med':49.663,'max':99.5,'p(90)':89.599,'p(95)':94.719,'p(99)':98.815,'p(99.9)':99.5}}",
        "orders": "{'type':'counter','unit':'plain','values':{'count':100,'rate':3.333333}}",
        "uploaded": "{'type':'counter','unit':'data','values':{'count':15000000,'rate':500000}}",
        "bought": "{'type':'rate','unit':'plain','values':{'rate':0.5,'passes':50,'fails':50}}"
      },
      "operations": [
        "{'name':'product','method':'GET','protocol':'HTTP/1.1','count':401,'rate':13.366667,'errors':0,'error_rate':0,'interrupted':1,'unsent':0,'latency':{'count':400,'avg':59.875,'min':10,'med':59.775,'max':109.75,'p(90)':99.775,'p(95)':104.767,'p(99)':108.799,'p(99.9)':109.75},'phases':{'blocked':{'count':400,'avg':0.01,'max':0.01},'dns':{'count':400,'avg':0,'max':0},'connecting':{'count':400,'avg':0,'max':0},'tls':{'count':400,'avg':0,'max':0},'sending':{'count':400,'avg':0.05,'max':0.05},'waiting':{'count':400,'avg':59.725,'max':109.6},'receiving':{'count':400,'avg':0.1,'max':0.1}},'bytes_in':819200,'bytes_out':48090,'status':{'0':1,'200':400}}",
        "{'name':'GET /api/products/{id}/reviews','method':'GET','protocol':'HTTP/1.1','count':400,'rate':13.333333,'errors':8,'error_rate':2,'interrupted':0,'unsent':0,'latency':{'count':400,'avg':119.75,'min':20,'med':119.551,'max':219.5,'p(90)':199.551,'p(95)':209.535,'p(99)':217.599,'p(99.9)':219.5},'phases':{'blocked':{'count':400,'avg':0.01,'max':0.01},'dns':{'count':400,'avg':0,'max':0},'connecting':{'count':400,'avg':0,'max':0},'tls':{'count':400,'avg':0,'max':0},'sending':{'count':400,'avg':0.05,'max':0.05},'waiting':{'count':400,'avg':119.6,'max':219.35},'receiving':{'count':400,'avg':0.1,'max':0.1}},'bytes_in':819200,'bytes_out':48000,'status':{'200':392,'503':8}}",
        "{'name':'cart','method':'POST','protocol':'HTTP/1.1','count':100,'rate':3.333333,'errors':4,'error_rate':4,'interrupted':0,'unsent':3,'latency':{'count':97,'avg':55.5,'min':55.5,'med':55.5,'max':55.5,'p(90)':55.5,'p(95)':55.5,'p(99)':55.5,'p(99.9)':55.5},'phases':{'blocked':{'count':100,'avg':1.6747,'max':55.5},'dns':{'count':100,'avg':0,'max':0},'connecting':{'count':100,'avg':1.665,'max':55.5},'tls':{'count':100,'avg':0,'max':0},'sending':{'count':97,'avg':0.05,'max':0.05},'waiting':{'count':97,'avg':55.35,'max':55.35},'receiving':{'count':97,'avg':0.1,'max':0.1}},'bytes_in':198656,'bytes_out':11640,'status':{'0':4,'201':96}}",
        "{'name':'cart','method':'GET','protocol':'HTTP/1.1','count':1,'rate':0.033333,'errors':0,'error_rate':0,'interrupted':0,'unsent':0,'latency':{'count':1,'avg':5,'min':5,'med':5,'max':5,'p(90)':5,'p(95)':5,'p(99)':5,'p(99.9)':5},'phases':{'blocked':{'count':1,'avg':0.01,'max':0.01},'dns':{'count':1,'avg':0,'max':0},'connecting':{'count':1,'avg':0,'max':0},'tls':{'count':1,'avg':0,'max':0},'sending':{'count':1,'avg':0.05,'max':0.05},'waiting':{'count':1,'avg':4.85,'max':4.85},'receiving':{'count':1,'avg':0.1,'max':0.1}},'bytes_in':2048,'bytes_out':120,'status':{'200':1}}"
      ],
      "requests": {
        "total": 902,
        "answered": 897,
        "failed_after_sending": 1,
        "interrupted": 1,
        "unsent": 3,
        "regrouped": 0,
        "apart": {
          "setup": {
            "requests": 1,
            "errors": 0,
            "unsent": 0,
            "checks_passed": 0,
            "checks_failed": 0
          },
          "teardown": {
            "requests": 1,
            "errors": 0,
            "unsent": 0,
            "checks_passed": 0,
            "checks_failed": 0
          }
        }
      },
      "checks": [
        "{'name':'status is 200','group':'','passes':400,'fails':0}",
        "{'name':'has a price','group':'','passes':390,'fails':10}",
        "{'name':'cart accepted','group':'::checkout','passes':100,'fails':0}"
      ],
      "thresholds": [
        "{'selector':'http_req_failed','expression':'rate < 5%','severity':'fail','abort':false,'passed':true,'observed':0.0133,'breach_count':0,'breaches':[],'revision':1,'since':0}",
        "{'selector':'http_req_duration{name:product}','expression':'p(95) < 300ms','severity':'fail','abort':true,'passed':true,'observed':105,'breach_count':0,'breaches':[],'revision':1,'since':0}"
      ],
      "alerts": [],
      "webhooks": [],
      "errors": [
        "{'type':'http','category':'http_5xx','code':1503,'count':8,'percent':61.538462,'sample':'GET http://shop.test/x: status 503','operations':['GET /api/products/{id}/reviews'],'by_operation':[{'name':'GET /api/products/{id}/reviews','count':8,'percent':100,'error_rate':2,'lift':2.26}],'by_scenario':[{'name':'browse','count':8,'percent':100,'error_rate':0.998752,'lift':1.126092}],'users':[7],'patterns':[{'pattern':'status 503','count':8,'percent':100,'sample':'GET http://shop.test/x: status 503','first_seen':2500,'last_seen':2500}],'over_time':{'interval_seconds':1,'counts':[[2,8]]},'first_seen':2500,'last_seen':2500}",
        "{'type':'refused','category':'connect','code':1212,'count':3,'percent':23.076923,'sample':'POST http://shop.test/x: connection refused by 127.0.0.1:1','operations':['cart'],'by_operation':[{'name':'cart','count':3,'percent':100,'error_rate':2.970297,'lift':8.950495}],'by_scenario':[{'name':'checkout','count':3,'percent':100,'error_rate':2.970297,'lift':8.930693}],'users':[7],'patterns':[{'pattern':'connection refused by <addr>','count':3,'percent':100,'sample':'POST http://shop.test/x: connection refused by 127.0.0.1:1','first_seen':2500,'last_seen':2500}],'over_time':{'interval_seconds':1,'counts':[[2,3]]},'first_seen':2500,'last_seen':2500}",
        "{'type':'timeout','category':'timeout','code':1050,'count':1,'percent':7.692308,'sample':'POST http://shop.test/x: no answer within 60s','operations':['cart'],'by_operation':[{'name':'cart','count':1,'percent':100,'error_rate':0.990099,'lift':8.950495}],'by_scenario':[{'name':'checkout','count':1,'percent':100,'error_rate':0.990099,'lift':8.930693}],'users':[7],'patterns':[{'pattern':'no answer within <n>s','count':1,'percent':100,'sample':'POST http://shop.test/x: no answer within 60s','first_seen':2500,'last_seen':2500}],'over_time':{'interval_seconds':1,'counts':[[2,1]]},'first_seen':2500,'last_seen':2500}",
        "{'type':'script','category':'script','code':0,'count':1,'percent':7.692308,'sample':'index 3 out of bounds: only 2 elements in array','place':'scripts/shop.rhai:12:5','operations':['checkout'],'by_operation':[{'name':'checkout','count':1,'percent':100}],'by_scenario':[{'name':'checkout','count':1,'percent':100}],'users':[7],'patterns':[{'pattern':'index <n> out of bounds: only <n> elements in array','count':1,'percent':100,'sample':'index 3 out of bounds: only 2 elements in array','first_seen':12500,'last_seen':12500}],'over_time':{'interval_seconds':1,'counts':[[12,1]]},'first_seen':12500,'last_seen':12500}"
      ],
      "generator": {
        "valid": true,
        "reasons": [],
        "warnings": [],
        "cpu": 12.4,
        "loop_lag_p99_ms": 0.198,
        "dropped_samples": 0,
        "regrouped_samples": 0,
        "clipped_values": 0,
        "resident_bytes": 34000000,
        "series": 161,
        "shards": 2
      },
      "observed": [],
      "components": []
    }
    "#);
}

#[test]
fn edited_rules_and_alerts() {
    let summary = json(&sample::edited());
    let rows = |name: &str| -> Vec<String> {
        summary[name].as_array().into_iter().flatten().map(|row| row.to_string().replace('"', "'")).collect()
    };
    insta::assert_json_snapshot!(json!({
        "revision": summary["revision"],
        "edits": rows("edits"),
        "code_revisions": rows("code_revisions"),
        "thresholds": rows("thresholds"),
        "alerts": rows("alerts"),
        "webhooks": rows("webhooks"),
    }), @r#"
    {
      "revision": 3,
      "edits": [
        "{'revision':2,'code_revision':1,'at_seconds':15,'time':'2026-01-18T15:31:00.000Z','by':'the file','changes':[{'what':'threshold http_req_duration{name:product}','from':'p(95) < 300ms','to':'p(95) over 5s < 250ms'}],'refused':[],'notes':[]}",
        "{'revision':3,'code_revision':2,'at_seconds':20,'time':'2026-01-18T15:31:05.000Z','by':'the API','changes':[{'what':'threshold tail','from':null,'to':'|m| m.p(95) < 300'},{'what':'alert gone','from':'p(99) over 10s > 800ms','to':null},{'what':'fn browse','from':null,'to':null}],'refused':['base_url: it cannot change while a run goes on'],'notes':['undoes revision 2 by the API']}"
      ],
      "code_revisions": [
        "{'revision':1,'merged':true,'since_seconds':0,'iterations':250,'script_errors':0,'requests':451,'errors':6,'error_rate':1.330377,'latency':{'avg':59.5,'min':10,'med':59.135,'p(95)':104.447,'p(99)':108.031,'max':109}}",
        "{'revision':2,'since_seconds':20,'iterations':250,'script_errors':1,'requests':451,'errors':12,'error_rate':2.660754,'latency':{'avg':54.5,'min':5,'med':54.015,'p(95)':99.327,'p(99)':103.423,'max':104}}"
      ],
      "thresholds": [
        "{'selector':'http_req_failed','expression':'rate < 5%','severity':'fail','abort':false,'passed':true,'holds':true,'observed':0.044,'breach_count':0,'breaches':[],'distance':0.12,'revision':1,'since':0}",
        "{'selector':'http_req_duration{name:product}','expression':'p(95) over 5s < 250ms','severity':'fail','abort':false,'passed':false,'holds':true,'observed':412,'first_breach':12000,'recovered':26500,'breach_count':3,'breaches':[{'from':12000,'to':14000,'observed':'271ms'},{'from':18200,'to':20000,'observed':'412ms'},{'from':25000,'to':26500,'observed':'300ms'}],'revision':2,'since':15000}",
        "{'selector':'tail','expression':'|m| m.p(95) < 300','severity':'warn','abort':false,'passed':false,'holds':false,'first_breach':28000,'breach_count':1,'breaches':[{'from':28000,'observed':''}],'revision':3,'since':20000}"
      ],
      "alerts": [
        "{'name':'slow tail','severity':'critical','when':'p(99) over 10s > 800ms','description':'the tail is slow','resolution':'look at the pool','state':'firing','fired':2,'value':1000.5,'acknowledged_by':'ann','would_have':[],'revision':1,'events':[{'id':'slow tail#1','firing':true,'at_seconds':12,'time':'2026-01-18T15:30:57.000Z','value':912.5},{'id':'slow tail#1','firing':false,'at_seconds':14,'time':'2026-01-18T15:30:59.000Z','value':640},{'id':'slow tail#3','firing':true,'at_seconds':24,'time':'2026-01-18T15:31:09.000Z','value':1000.5}]}",
        "{'name':'quiet one','severity':'critical','when':'p(99) over 10s > 800ms','state':'quiet','fired':0,'would_have':[3,9.5],'revision':3,'events':[]}",
        "{'name':'gone','severity':'critical','when':'p(99) over 10s > 800ms','state':'removed','fired':1,'would_have':[],'events':[{'id':'gone#2','firing':true,'at_seconds':16,'time':'2026-01-18T15:31:01.000Z','value':900},{'id':'gone#2','firing':false,'at_seconds':20,'time':'2026-01-18T15:31:05.000Z','value':900,'because':'removed by revision 3'}]}"
      ],
      "webhooks": [
        "{'receiver':'https://hooks.test','sent':5,'failed':0,'dropped':0,'undelivered':0,'retries':0}",
        "{'receiver':'http://127.0.0.1:1','sent':0,'failed':3,'dropped':0,'undelivered':2,'retries':12,'last_error':'Connection refused (os error 111)'}"
      ]
    }
    "#);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_run_gives_a_right_summary_whose_requests_add_up(
        requests in prop::collection::vec((0usize..6, 0usize..4, any::<bool>()), 0..60),
        name in any::<String>(),
        seconds in prop_oneof![Just(0.0), 0.5f64..1e6],
        cap in prop_oneof![Just(3usize), Just(2_000)],
    ) {
        let document = json(&sample::of_requests(&requests, &name, seconds, cap));
        prop_assert_eq!(problems(&document), Vec::<String>::new(), "{:#}", document);
        let account = &document["requests"];
        let parts = ["answered", "failed_after_sending", "interrupted", "unsent", "regrouped"];
        let sum: u64 = parts.iter().filter_map(|part| account[part].as_u64()).sum();
        prop_assert_eq!(account["total"].as_u64(), Some(sum));
        let counted: u64 = document["operations"].as_array().into_iter().flatten().filter_map(|row| row["count"].as_u64()).sum();
        prop_assert_eq!(counted, sum);
    }
}
