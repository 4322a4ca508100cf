"""How the page of waterfalls looks: two palettes, and the style sheet that uses them."""

from __future__ import annotations

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "paper": "#f6f7f9",
    "card": "#ffffff",
    "ink": "#1b2330",
    "muted": "#586273",
    "rule": "#d9dee6",
    "client": "#0f6b78",
    "server": "#7a3b96",
    "plain": "#8a5300",
    "handshake": "#1d57b8",
    "change": "#5e5a9b",
    "data": "#13693f",
    "alert": "#b3261e",
    "unreadable": "#a3195b",
    "good": "#13693f",
    "bad": "#b3261e",
    "chosen": "#fff3c9",
}
"""Colours by what they are for, on white."""

DARK: Mapping[str, str] = {
    "paper": "#0d1117",
    "card": "#151b24",
    "ink": "#e8ecf2",
    "muted": "#9aa6b6",
    "rule": "#2c3644",
    "client": "#56c5d3",
    "server": "#cf9be8",
    "plain": "#e3b15c",
    "handshake": "#82b2ff",
    "change": "#b3aeef",
    "data": "#6fd19b",
    "alert": "#ff8a80",
    "unreadable": "#ff8fc0",
    "good": "#6fd19b",
    "bad": "#ff8a80",
    "chosen": "#3a3213",
}
"""The same on black."""

GROUNDS = ("paper", "card", "chosen")
"""The colours that others are written on."""

NO_WORDS = ("rule",)
"""The colours that nothing is written in."""


def _variables(palette: Mapping[str, str]) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in palette.items())


# The narrow layout is the one without conditions: there all is between the lifelines. With room,
# the marks move outside. What a row holds is the same.
_RULES = """
*,::before,::after{box-sizing:border-box}
html{scroll-padding-top:4rem}
body{margin:0;padding:1.5rem clamp(.6rem,2.5vw,2.5rem) 3rem;background:var(--paper);
  color:var(--ink);font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",
  "Liberation Sans",sans-serif;font-variant-numeric:tabular-nums}
code,.mono{font-family:ui-monospace,"SF Mono","Cascadia Mono",Menlo,Consolas,"DejaVu Sans Mono",
  "Liberation Mono",monospace;font-size:.86em}
a{color:inherit}
:focus-visible{outline:2px solid var(--handshake);outline-offset:2px;border-radius:3px}
.aloud,.skip:not(:focus){position:absolute;width:1px;height:1px;overflow:hidden;
  clip-path:inset(50%);white-space:nowrap}
.skip{position:absolute;top:.5rem;left:.5rem;padding:.4rem .8rem;background:var(--card);z-index:3}
h1,h2,p,dl,dd,ol,ul{margin:0;padding:0}
h1{font-size:clamp(1.35rem,1.1rem + 1.2vw,1.9rem);line-height:1.2;letter-spacing:-.015em}
h2{font-size:1.12rem;line-height:1.3;overflow-wrap:anywhere}
.top{max-width:70rem;margin:0 auto 1.2rem}
.lead{text-wrap:pretty;margin-top:.35rem;color:var(--muted)}
.legend{display:flex;flex-wrap:wrap;gap:.35rem 1.3rem;margin-top:.9rem;list-style:none;
  font-size:.86rem}
.legend li{display:inline-flex;align-items:center;gap:.45rem}
.legend .shaft{flex:none;width:2.6rem}
.legend .label{padding:0}
.traces{display:grid;gap:1.4rem;max-width:70rem;margin:0 auto;align-items:start}
.several{max-width:92rem}
.trace{container-type:inline-size;min-width:0;background:var(--card);border:1px solid var(--rule);
  border-radius:12px;padding:1.1rem clamp(.55rem,1.6vw,1.3rem) 1.2rem}
.facts{display:flex;flex-wrap:wrap;gap:.3rem .4rem;margin:.6rem 0 .5rem;font-size:.82rem}
.facts div{display:flex;gap:.4rem;padding:.08rem .55rem;border:1px solid var(--rule);
  border-radius:99px;min-width:0}
.facts dt{color:var(--muted)}
.facts dd{font-weight:600;overflow-wrap:anywhere}
.summary{color:var(--muted);font-size:.82rem;text-wrap:pretty}
.rows{list-style:none}
.ends,.row,.gap{display:grid;grid-template-columns:4.7rem minmax(0,1fr)}
.ends{position:sticky;top:0;z-index:2;margin-top:.9rem;padding:.35rem 0;background:var(--card);
  font-size:.82rem;font-weight:700;letter-spacing:.04em}
.ends .unit{color:var(--muted);font-weight:400;text-align:right;padding-right:.8rem}
.ends .lane{display:flex;justify-content:space-between;border:0;min-height:0}
.ends b{color:#fff;background:var(--c);padding:.1rem .7rem;border-radius:99px;margin:0 -.35rem}
.time{grid-area:1/1;align-self:start;text-align:right;padding-right:.8rem;font-size:.78rem;
  line-height:1.2;color:var(--muted)}
.event .time{padding-top:.34rem}
.record .time{align-self:end;padding-bottom:.16rem}
.time a{text-decoration:none;color:inherit}
.time a:hover{text-decoration:underline}
.lane{grid-area:1/2;position:relative;min-height:1.6rem;border:solid;border-width:0 2px;
  border-color:transparent;border-left-color:var(--client);border-right-color:var(--server)}
.s1 .lane{padding-top:.35rem}.s2 .lane{padding-top:.7rem}.s3 .lane{padding-top:1.1rem}
.s1 .mark,.s1.event .time{margin-top:.35rem}.s2 .mark,.s2.event .time{margin-top:.7rem}
.s3 .mark,.s3.event .time{margin-top:1.1rem}
.row{border-radius:4px}
.row:hover{background:color-mix(in srgb,var(--ink) 5%,transparent)}
.row:target{background:var(--chosen)}
.gap{font-size:.78rem;color:var(--muted)}
.gap .lane{display:flex;align-items:center;justify-content:center;min-height:2.9rem;
  border-style:dotted;border-width:0 3px}
.gap .lane::before,.gap .lane::after{content:"";flex:1;border-top:1px dashed var(--rule)}
.gap span{padding:0 .8rem}
.mark{grid-area:1/2;position:relative;align-self:start;padding:.16rem 1rem;min-width:0}
.mark::before{content:"";position:absolute;top:.44rem;width:15px;height:15px;border-radius:50%;
  background:var(--c);border:2px solid var(--card);z-index:1;print-color-adjust:exact}
.client{--c:var(--client)}.server{--c:var(--server)}
.mark.client{margin-right:5%}.mark.server{margin-left:5%;text-align:right}
.mark.client::before{left:-6.5px}.mark.server::before{right:-6.5px}
.mark.good .name{color:var(--good)}.mark.bad .name{color:var(--bad)}
.mark.good::before,.mark.bad::before{width:19px;height:19px;top:.31rem}
.mark.good::before{background:var(--good)}
.mark.bad::before{background:var(--bad);border-radius:2px;rotate:45deg}
.mark.client.good::before,.mark.client.bad::before{left:-8.5px}
.mark.server.good::before,.mark.server.bad::before{right:-8.5px}
.name{font-weight:600;overflow-wrap:anywhere}
.mark .line{display:flex;flex-wrap:wrap;align-items:center;gap:0 .45rem}
.mark.server .line{justify-content:flex-end}
.more{color:var(--muted);font-size:.8rem;line-height:1.35}
.more span{min-width:0;overflow-wrap:anywhere;text-wrap:pretty}
.states{display:inline-flex;gap:2px}
.states i{font:700 .66rem/1.25rem ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;
  width:1.2rem;text-align:center;border-radius:3px;border:1px dotted var(--muted);
  color:var(--muted);line-height:1.05rem}
.states .yes{background:var(--ink);color:var(--card);border:1px solid var(--ink);
  print-color-adjust:exact}
.states .told{border-color:transparent}
.arrow{padding:.1rem 0 .2rem;color:var(--k)}
.label{display:flex;flex-wrap:wrap;justify-content:center;align-items:baseline;gap:0 .5rem;
  padding:.05rem 1rem 0;font-size:.84rem;line-height:1.3;text-align:center}
.label b{font-weight:650}
.label code,.label .size{overflow-wrap:anywhere;min-width:0}
.label code{color:var(--ink)}
.label .size{color:var(--muted);font-size:.78rem}
.label .fate{padding:0 .45rem;border:1px solid;border-radius:99px;font-size:.74rem;font-weight:700}
.label svg{width:.72rem;height:.8rem;align-self:center;margin-right:-.15rem}
.shaft{display:block;width:100%;height:12px;overflow:visible;fill:none;stroke:currentColor;
  stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
.shaft .head{fill:currentColor}
.plain{--k:var(--plain)}.handshake{--k:var(--handshake)}.change_cipher_spec{--k:var(--change)}
.application_data,.heartbeat{--k:var(--data)}.alert{--k:var(--alert)}
.unreadable{--k:var(--unreadable)}
.plain .shaft .line{stroke-dasharray:1 5}
.change_cipher_spec .shaft .line{stroke-dasharray:7 5}
.unreadable .shaft .line{stroke-dasharray:3 5}
.legend li[class]{color:var(--k)}
@media (min-width:68rem){.traces.several{grid-template-columns:repeat(2,minmax(0,1fr))}}
@container (min-width:54rem){
  .ends,.row,.gap{grid-template-columns:5.2rem minmax(0,1fr) minmax(0,1.4fr) minmax(0,1fr)}
  .lane{grid-column:3}
  .mark.client{grid-column:2;margin-right:0;text-align:right;padding-left:0}
  .mark.client .line{justify-content:flex-end}
  .mark.server .line{justify-content:flex-start}
  .mark.server{grid-column:4;margin-left:0;text-align:left;padding-right:0}
  .mark.client::before{left:auto;right:-8.5px}
  .mark.server::before{right:auto;left:-8.5px}
  .mark.client.good::before,.mark.client.bad::before{left:auto;right:-10.5px}
  .mark.server.good::before,.mark.server.bad::before{right:auto;left:-10.5px}
  .ends b{margin:0 -2rem}
}
@media (prefers-color-scheme:dark){.ends b{color:#0d1117}}
"""

_PRINT = """
  body{padding:0;font-size:10.5pt;background:none}
  .trace{border:0;padding:0 .6rem;border-radius:0}
  .traces,.traces.several{display:block;max-width:none}
  .trace + .trace{break-before:page}
  .ends{position:static}
  .ends b{color:#fff;print-color-adjust:exact}
  .row,.gap,.facts{break-inside:avoid}
  h1,h2,.ends{break-after:avoid}
  .row:target{background:none}
  .skip{display:none}
"""

STYLE = (
    f":root{{color-scheme:light dark;{_variables(LIGHT)}}}"
    f"@media (prefers-color-scheme:dark){{:root{{{_variables(DARK)}}}}}"
    f"{_RULES}"
    # On paper it is light, whatever the screen was.
    f"@media print{{:root{{color-scheme:light;{_variables(LIGHT)}}}{_PRINT}}}"
)
"""The style sheet of the page; it names no other resource."""
