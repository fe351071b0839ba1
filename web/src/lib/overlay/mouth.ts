/** Mouth shapes: the 15 Oculus visemes as five numbers, and the numbers as SVG paths. Pure. */
import type { VisemeName } from '$lib/protocol';

export interface Mouth {
	open: number; // 0 closed … 1 wide open
	wide: number; // 0 a small o … 1 a broad grin
	teeth: number; // 0 hidden … 1 the upper row shows
	tongue: number; // 0 low … 1 at the teeth
}

export const SHAPES: Record<VisemeName, Mouth> = {
	sil: { open: 0, wide: 0.6, teeth: 0, tongue: 0 },
	PP: { open: 0, wide: 0.42, teeth: 0, tongue: 0 },
	FF: { open: 0.16, wide: 0.5, teeth: 1, tongue: 0 },
	TH: { open: 0.26, wide: 0.52, teeth: 0.6, tongue: 1 },
	DD: { open: 0.32, wide: 0.56, teeth: 0.5, tongue: 0.7 },
	kk: { open: 0.36, wide: 0.55, teeth: 0.3, tongue: 0.2 },
	CH: { open: 0.3, wide: 0.3, teeth: 0.9, tongue: 0 },
	SS: { open: 0.2, wide: 0.7, teeth: 1, tongue: 0 },
	nn: { open: 0.24, wide: 0.56, teeth: 0.4, tongue: 0.8 },
	RR: { open: 0.34, wide: 0.3, teeth: 0.2, tongue: 0.4 },
	aa: { open: 1, wide: 0.72, teeth: 0.5, tongue: 0.2 },
	E: { open: 0.62, wide: 0.84, teeth: 0.6, tongue: 0.3 },
	ih: { open: 0.42, wide: 0.9, teeth: 0.7, tongue: 0.3 },
	oh: { open: 0.78, wide: 0.34, teeth: 0.1, tongue: 0.1 },
	ou: { open: 0.46, wide: 0.14, teeth: 0, tongue: 0 }
};

const CLOSING_MS = 55;
const OPENING_MS = 35;

/** One step from a shape towards another; lips open a little quicker than they close. */
export function towards(from: Mouth, to: Mouth, elapsedMs: number): Mouth {
	const near = (a: number, b: number, ms: number) => a + (b - a) * (1 - Math.exp(-elapsedMs / ms));
	const far = Math.abs(from.open - to.open) + Math.abs(from.wide - to.wide) + Math.abs(from.teeth - to.teeth);
	if (far + Math.abs(from.tongue - to.tongue) < 0.01) return to; // there: nothing to draw until the next shape
	return {
		open: near(from.open, to.open, to.open > from.open ? OPENING_MS : CLOSING_MS),
		wide: near(from.wide, to.wide, CLOSING_MS),
		teeth: near(from.teeth, to.teeth, CLOSING_MS),
		tongue: near(from.tongue, to.tongue, CLOSING_MS)
	};
}

/** Outline of the mouth around x = 0, upper lip's middle at y = 0; a fox's ω when closed. */
export function outline({ open, wide }: Mouth): string {
	const half = 7 + 13 * wide;
	const drop = 34 * open;
	const dip = 5.5 * (1 - 0.75 * open) * (0.4 + 0.6 * wide);
	const side = drop * 0.55;
	const n = (value: number) => value.toFixed(1);
	const upper = `M${n(-half)} 0 Q${n(-half / 2)} ${n(dip * 2)} 0 0 Q${n(half / 2)} ${n(dip * 2)} ${n(half)} 0`;
	if (drop < 1) return upper;
	return `${upper} C${n(half * 0.95)} ${n(side + 4)} ${n(half * 0.55)} ${n(drop)} 0 ${n(drop)} C${n(-half * 0.55)} ${n(drop)} ${n(-half * 0.95)} ${n(side + 4)} ${n(-half)} 0 Z`;
}
