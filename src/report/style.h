#pragma once
// The look of a page. No character here may need escaping in XML (no < and no &).

namespace beckon::report {

constexpr const char* kStyle = R"css(
:root{color-scheme:light dark;--paper:#ffffff;--ink:#1b2431;--muted:#5a6675;--line:#dfe4ea;--soft:#f5f7f9;--accent:#2b5f8f;
--good:#2c7a57;--caution:#a4600c;--caution-soft:#fdf4e3;--notice-soft:#edf3f9;
--c0:#2f6ea8;--c1:#d5792b;--c2:#38906d;--c3:#8560a8;--c4:#b9475c;--c5:#7b828b}
@media (prefers-color-scheme:dark){:root{--paper:#14181e;--ink:#e4e9ef;--muted:#9aa6b4;--line:#2c343e;--soft:#1b2129;--accent:#8dbbe6;
--good:#6fc49a;--caution:#e3aa5c;--caution-soft:#2b2416;--notice-soft:#1a2531;
--c0:#6ea8dc;--c1:#e59a58;--c2:#67bf9b;--c3:#b195d3;--c4:#df7d8f;--c5:#a3abb5}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",
"Noto Sans","PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;-webkit-text-size-adjust:100%}
main{max-width:52rem;margin:0 auto;padding:3.5rem 1.5rem 4rem}
header{margin-bottom:2rem}
h1{font-size:2rem;line-height:1.2;font-weight:650;letter-spacing:-.015em;margin:0}
.subtitle{color:var(--muted);font-size:1.08rem;margin:.5rem 0 0}
h2{font-size:1.25rem;line-height:1.3;font-weight:650;letter-spacing:-.005em;margin:0 0 .75rem}
section{margin-top:3rem;padding-top:1.75rem;border-top:1px solid var(--line)}
p{margin:0 0 .9rem;max-width:44rem;overflow-wrap: break-word}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.9rem;margin:1.25rem 0}
.figure{background:var(--soft);border:1px solid var(--line);border-radius:10px;padding:.9rem 1rem;min-width:0}
.figure-label{color:var(--muted);font-size:.86rem;line-height:1.35}
.figure-value{font-size:1.4rem;line-height:1.25;font-weight:650;letter-spacing:-.015em;margin:.3rem 0 .15rem;
font-variant-numeric:tabular-nums;overflow-wrap: break-word}
.figure-detail{color:var(--muted);font-size:.84rem;line-height:1.4;overflow-wrap: break-word}
.figure.good .figure-value{color:var(--good)}
.figure.caution .figure-value{color:var(--caution)}
.callout{border-left:4px solid var(--accent);background:var(--notice-soft);border-radius:0 8px 8px 0;padding:.75rem 1rem;
margin:1rem 0;font-size:.95rem;overflow-wrap: break-word}
.callout strong{margin-right:.35em}
.callout.warning{border-left-color:var(--caution);background:var(--caution-soft)}
figure{margin:1.75rem 0 2rem}
figcaption,caption{font-weight:600;font-size:1rem;text-align:left;margin:0 0 .6rem;padding:0;caption-side:top}
caption{padding-bottom:.5rem}
svg{display:block;width:100%;height:auto;overflow:visible;font-family:inherit}
svg text{fill:var(--muted);font-size:12px}
svg text.category,svg text.legend,svg text.value{fill:var(--ink)}
svg text.value,svg text.tick{font-variant-numeric:tabular-nums}
svg text.value{paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}
.grid{stroke:var(--line);stroke-width:1}
.axis{stroke:var(--muted);stroke-width:1}
.ideal{stroke:var(--muted);stroke-width:1;stroke-dasharray:4 4}
.whisker{stroke:var(--ink);stroke-width:1.4;opacity:.75}
.s0{--c:var(--c0)}.s1{--c:var(--c1)}.s2{--c:var(--c2)}.s3{--c:var(--c3)}.s4{--c:var(--c4)}.s5{--c:var(--c5)}
.fill{fill:var(--c)}.dot{stroke:var(--paper);stroke-width:1}
.stroke{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.band{fill:var(--c);opacity:.16}
.table-scroll{overflow-x:auto;margin:1.5rem 0 .6rem}
table{border-collapse:collapse;width:100%;font-size:.93rem;line-height:1.45}
th,td{padding:.5rem .75rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);unicode-bidi:isolate;
overflow-wrap: break-word}
th:first-child,td:first-child{padding-left:0}
th:last-child,td:last-child{padding-right:0}
thead th{color:var(--muted);font-weight:600;font-size:.84rem;vertical-align:bottom;border-bottom:1.5px solid var(--muted);
overflow-wrap:normal}
tbody th{font-weight:500}
.right{text-align:right;font-variant-numeric:tabular-nums;overflow-wrap:normal;white-space:nowrap}
thead .right{white-space:normal}
.unit{font-weight:400;white-space:nowrap}
.note{color:var(--muted);font-size:.86rem;line-height:1.5;margin:.5rem 0 0}
footer{margin-top:3.5rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--muted);font-size:.84rem;overflow-wrap: break-word}
@media (max-width:36rem){main{padding:2rem 1rem 3rem}h1{font-size:1.6rem}th,td{padding:.45rem .5rem}}
@media print{@page{margin:16mm 15mm}
:root{--paper:#ffffff;--ink:#111820;--muted:#4c5764;--line:#d3d9df;--soft:#f7f8fa;--accent:#2b5f8f;--good:#1f6646;--caution:#8a4f06;
--caution-soft:#fdf4e3;--notice-soft:#edf3f9;--c0:#2f6ea8;--c1:#d5792b;--c2:#38906d;--c3:#8560a8;--c4:#b9475c;--c5:#7b828b}
body{font-size:10.5pt;-webkit-print-color-adjust:exact;print-color-adjust:exact}
main{max-width:none;padding:0}
section{margin-top:1.8rem;padding-top:1.2rem}
figure,tr,.figure,.callout{break-inside:avoid}
h2,figcaption,caption{break-after:avoid}
thead{display:table-header-group}
.table-scroll{overflow:visible}}
)css";

}  // namespace beckon::report
