/** Size of the space that charts are drawn in. The page stretches it to the room that it has. */
export const chartBox = { width: 600, height: 120 } as const

/**
 * The path of a line chart, for the attribute `d`: the values from left to right, with gaps where there is none. `top` is
 * the value at the upper edge; the lower one is 0.
 */
export function linePath(values: readonly (number | undefined)[], top: number): string {
  const step = chartBox.width / Math.max(values.length - 1, 1)
  let drawing = false
  const commands = values.map((value, i) => {
    if (value === undefined) {
      drawing = false
      return ''
    }
    const x = rounded(i * step)
    const y = rounded(chartBox.height * (1 - Math.min(value / top, 1)))
    // A point alone is drawn as a line to itself: a dot, with round ends.
    const command = drawing ? `L${x} ${y}` : `M${x} ${y}L${x} ${y}`
    drawing = true
    return command
  })
  return commands.join('')
}

/** The least of 1, 2 and 5 times a power of ten that no value exceeds, and at least `least`. */
export function chartTop(values: readonly (number | undefined)[], least: number): number {
  const greatest = values.reduce<number>((max, value) => Math.max(max, value ?? 0), least)
  const power = 10 ** Math.floor(Math.log10(greatest))
  const digit = [1, 2, 5, 10].find((each) => greatest <= each * power * (1 + 1e-9)) ?? 10
  return Number((digit * power).toPrecision(1))
}

function rounded(coordinate: number): number {
  return Math.round(coordinate * 10) / 10
}
