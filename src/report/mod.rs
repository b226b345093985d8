//! stub
use crate::{metrics::*, plan::Plan, diagnostic::Diagnostic};
pub struct Facts { r: Vec<(u8,String)> }
pub struct End;
impl Facts { pub fn new<T>(r:&[(u8,String)],_:&Plan,_:&Snapshot,_:&T,_:chrono::DateTime<chrono::Utc>,_:std::time::Duration)->Self{Facts{r:r.to_vec()}} pub fn interim(_:&Plan,_:&Snapshot)->Self{Facts{r:vec![]}} }
pub fn text(_:&Plan,s:&Snapshot,f:&Facts,_:bool)->String{ let mut o=format!("{:?}\n{:?}\n{:?}\n",f.r,s.thresholds,s.scenarios); for x in &s.series { match &x.cell { Cell::Trend(t)=>o+=format!("{} {} n={} avg={:?} p95={:?}\n",s.metrics[x.metric.0 as usize].def.name,x.tags,t.count(),t.avg(),t.percentile(95.0)).as_str(), c=>o+=format!("{} {} {:?}\n",s.metrics[x.metric.0 as usize].def.name,x.tags,c).as_str()} } o+=format!("{:?} {:?}\n", s.errors.sorted(), s.generator.invalid).as_str(); o }
pub fn summary_json(_:&Plan,_:&Snapshot,_:&Facts)->String{"{}".into()}
pub fn write(p:&std::path::Path,t:&str)->std::io::Result<()> {std::fs::write(p,t)}
pub fn plan_text(p:&Plan)->String{format!("{p:#?}")}
pub fn check_json(_:Option<&Plan>,_:&[Diagnostic])->String{String::new()}
