//! How the page looks: light, or dark where the reader prefers that.

/// The style sheet. Names of classes differ from those of the picture inside the page.
pub(super) const CSS: &str = "\
:root{color-scheme:light dark;--paper:#ffffff;--text:#222222;--faint:#5c6470;--line:#d5dae1;--box:#f6f7f9}\
@media (prefers-color-scheme:dark){:root{--paper:#15181d;--text:#e8eaed;--faint:#a4abb6;--line:#3a424e;--box:#1d2229}}\
body{margin:0;background:var(--paper);color:var(--text);font:15px/1.5 Helvetica,Arial,'DejaVu Sans',sans-serif}\
main{max-width:1080px;margin:0 auto;padding:24px 20px 60px}\
h1{font-size:26px;margin:0 0 4px}h2{font-size:19px;margin:36px 0 4px}p{margin:4px 0 12px}\
.faint,dt{color:var(--faint)}code{font-size:13px;overflow-wrap:anywhere}\
.boxes{display:grid;grid-template-columns:repeat(auto-fill,minmax(210px,1fr));gap:12px;margin:20px 0}\
.boxes div{background:var(--box);border:1px solid var(--line);border-radius:6px;padding:10px 14px}\
dt{font-size:13px}dd{margin:0;font-size:13px}dd b{display:block;font-size:20px}\
figure,.wide{margin:0 0 12px;overflow-x:auto;border:1px solid var(--line);border-radius:6px}\
figure svg{display:block}\
table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}\
th,td{text-align:left;padding:4px 10px;border-bottom:1px solid var(--line);white-space:nowrap}\
tbody tr:last-child td{border-bottom:0}th{color:var(--faint);font-weight:normal}\
pre{margin:0;padding:12px 14px;font:12px/1.45 'DejaVu Sans Mono',Menlo,Consolas,monospace}\
ul{margin:0 0 12px;padding-left:20px}li,summary{font-size:14px}\
";
