// A line chart as SVG: panels below each other over one axis, so that a rate and a latency need no second scale.

const WIDTH = 760
const PANEL_HEIGHT = 200
const LEFT = 78
const RIGHT = 150
const TOP = 56
const GAP = 34
const BOTTOM = 52
const TICKS = 4
// Told apart by those who do not see red or green, too (Okabe and Ito).
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7']

/**
 * @param title, xLabel texts
 * @param xs values of the x axis, ascending; they stand on a logarithmic scale
 * @param panels [{ label, series: [{ name, values, dashed }] }]; a value for each x, or NaN where there is none
 */
export function lineChart({ title, xLabel, xs, panels }) {
  const height = TOP + panels.length * PANEL_HEIGHT + (panels.length - 1) * GAP + BOTTOM
  const x = logScale(xs[0], xs.at(-1), LEFT, WIDTH - RIGHT)
  const parts = panels.map((panel, i) => drawPanel(panel, xs, x, TOP + i * (PANEL_HEIGHT + GAP)))
  const bottom = height - BOTTOM
  const labels = xs.map((value) =>
    text(x(value), bottom + 18, value.toLocaleString('en'), 'middle')
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" ` +
      `role="img" font-family="sans-serif" font-size="12" fill="#222">`,
    `<title>${escape(title)}</title>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="${LEFT}" y="22" font-size="15" font-weight="bold">${escape(title)}</text>`,
    ...parts,
    ...labels,
    text((LEFT + WIDTH - RIGHT) / 2, bottom + 40, xLabel, 'middle'),
    '</svg>',
    ''
  ].join('\n')
}

function drawPanel({ label, series }, xs, x, top) {
  const bottom = top + PANEL_HEIGHT
  const most = Math.max(...series.flatMap(({ values }) => values.filter(Number.isFinite)), 0)
  const step = niceStep(most / TICKS)
  const highest = Math.max(step, Math.ceil(most / step) * step)
  const y = (value) => bottom - (value / highest) * PANEL_HEIGHT
  const parts = [text(LEFT, top - 8, label, 'start')]
  for (let value = 0; value <= highest + step / 2; value += step) {
    parts.push(
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${round(y(value))}" y2="${round(y(value))}" stroke="#ddd"/>`,
      text(LEFT - 8, y(value) + 4, Number(value.toPrecision(6)).toLocaleString('en'), 'end')
    )
  }
  const ends = []
  for (const [i, { name, values, dashed }] of series.entries()) {
    const color = COLORS[i % COLORS.length]
    const points = xs
      .map((value, at) => [x(value), y(values[at])])
      .filter(([, height]) => Number.isFinite(height))
    if (points.length === 0) continue
    const line = points.map(([px, py]) => `${round(px)},${round(py)}`).join(' ')
    const dash = dashed ? ' stroke-dasharray="6 4"' : ''
    parts.push(`<polyline points="${line}" fill="none" stroke="${color}" stroke-width="2"${dash}/>`)
    for (const [px, py] of dashed ? [] : points) {
      parts.push(`<circle cx="${round(px)}" cy="${round(py)}" r="3.5" fill="${color}"/>`)
    }
    ends.push({ name, color, y: points.at(-1)[1] })
  }
  return [...parts, ...nameLines(ends)].join('\n')
}

/** Names at the ends of the lines, moved apart where they would lie on each other. */
function nameLines(ends) {
  const LINE = 15
  let last = Number.NEGATIVE_INFINITY
  return ends
    .toSorted((a, b) => a.y - b.y)
    .map(({ name, color, y }) => {
      last = Math.max(y, last + LINE)
      return `<text x="${WIDTH - RIGHT + 10}" y="${round(last + 4)}" fill="${color}">${escape(name)}</text>`
    })
}

function logScale(low, high, from, to) {
  const span = Math.log(high) - Math.log(low)
  return (value) =>
    span === 0 ? (from + to) / 2 : from + ((Math.log(value) - Math.log(low)) / span) * (to - from)
}

/** 1, 2 or 5 times a power of ten, at least `step`. */
function niceStep(step) {
  if (!(step > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(step))
  return power * [1, 2, 5, 10].find((factor) => factor * power >= step * 0.999)
}

function text(x, y, content, anchor) {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escape(content)}</text>`
}

function round(value) {
  return Number(value.toFixed(1))
}

function escape(content) {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
