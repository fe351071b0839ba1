import { describe, expect, it } from 'vitest';
import { JitterBuffer, LIMIT, MAX_GAP, TARGET } from './jitter';

const FRAME = 960;
const QUANTUM = 128;

function ramp(from: number, length = FRAME): Float32Array {
	return Float32Array.from({ length }, (_, i) => ((from + i) % 10_000) / 20_000 + 0.1);
}

function read(buffer: JitterBuffer, samples: number, step = 1): number[] {
	const out: number[] = [];
	while (out.length < samples) {
		const quantum = new Float32Array(QUANTUM);
		buffer.read(quantum, step);
		out.push(...quantum);
	}
	return out;
}

describe('JitterBuffer', () => {
	it('is silent without sound', () => {
		expect(read(new JitterBuffer(), 512).every((value) => value === 0)).toBe(true);
	});

	it('starts at once when enough came in one go', () => {
		const buffer = new JitterBuffer();
		for (let i = 0; i < 3; i++) buffer.push(i * FRAME, ramp(i * FRAME));
		expect(read(buffer, QUANTUM)).toEqual([...ramp(0, QUANTUM)]);
	});

	it('waits 60 ms for a trickle, then starts all the same', () => {
		const buffer = new JitterBuffer();
		buffer.push(0, ramp(0));
		const out = read(buffer, TARGET + QUANTUM);
		const first = out.findIndex((value) => value !== 0);
		expect(first).toBeGreaterThanOrEqual(TARGET - QUANTUM);
		expect(first).toBeLessThanOrEqual(TARGET);
	});

	it('plays frames without a seam', () => {
		const buffer = new JitterBuffer();
		for (let i = 0; i < 5; i++) buffer.push(1000 + i * FRAME, ramp(i * FRAME));
		expect(read(buffer, 4 * FRAME).slice(0, 4 * FRAME)).toEqual([...ramp(0, 4 * FRAME)]);
		expect(buffer.cursor).toBeGreaterThanOrEqual(1000 + 4 * FRAME);
	});

	it('is silent within one quantum of a flush', () => {
		const buffer = new JitterBuffer();
		for (let i = 0; i < 5; i++) buffer.push(i * FRAME, ramp(i * FRAME));
		read(buffer, QUANTUM);
		buffer.flush();
		const cut = read(buffer, QUANTUM);
		expect(cut.at(-1)).toBe(0);
		expect(cut.slice(64).every((value) => value === 0)).toBe(true);
		expect(read(buffer, QUANTUM).every((value) => value === 0)).toBe(true);
		expect(buffer.buffered).toBe(0);
		expect(buffer.underruns).toBe(0);
	});

	it('counts running dry in the middle of speech, not the end of a turn', () => {
		const buffer = new JitterBuffer();
		for (let i = 0; i < 3; i++) buffer.push(i * FRAME, ramp(0));
		read(buffer, 5 * FRAME);
		buffer.push(100_000, ramp(0));
		expect(buffer.underruns).toBe(0);
		read(buffer, TARGET + 3 * FRAME);
		buffer.push(100_000 + FRAME, ramp(0));
		expect(buffer.underruns).toBe(1);
	});

	it('keeps time over a lost frame', () => {
		const buffer = new JitterBuffer();
		for (const i of [0, 1, 2, 4]) buffer.push(i * FRAME, ramp(0));
		const out = read(buffer, 5 * FRAME);
		expect(out.slice(3 * FRAME + 64, 4 * FRAME).every((value) => value === 0)).toBe(true);
		expect(out[4 * FRAME]).toBeCloseTo(ramp(0)[0] ?? 0);
	});

	it('does not sit through a pause of the show', () => {
		const buffer = new JitterBuffer();
		for (let i = 0; i < 3; i++) buffer.push(i * FRAME, ramp(0));
		const later = 3 * FRAME + MAX_GAP + 1;
		buffer.push(later, ramp(0));
		read(buffer, 3 * FRAME + 2 * QUANTUM);
		expect(buffer.cursor).toBeGreaterThanOrEqual(later);
	});

	it('skips ahead when it fell behind', () => {
		const buffer = new JitterBuffer();
		for (let i = 0; i < 4; i++) buffer.push(i * FRAME, ramp(0));
		read(buffer, QUANTUM);
		for (let i = 4; i < 60; i++) buffer.push(i * FRAME, ramp(0));
		expect(buffer.buffered).toBeLessThanOrEqual(LIMIT);
		expect(buffer.skipped).toBeGreaterThan(0);
	});

	it('follows a clock that began anew', () => {
		const buffer = new JitterBuffer();
		for (let i = 0; i < 4; i++) buffer.push(1_000_000 + i * FRAME, ramp(0));
		read(buffer, QUANTUM);
		buffer.push(0, ramp(0));
		expect(buffer.cursor).toBe(0);
	});

	it('plays at another sample rate', () => {
		const buffer = new JitterBuffer();
		const tone = Float32Array.from({ length: 48_000 / 2 }, (_, i) => Math.sin((2 * Math.PI * 440 * i) / 48_000));
		for (let i = 0; i + FRAME <= tone.length; i += FRAME) buffer.push(i, tone.slice(i, i + FRAME));
		const out = read(buffer, 44_100 / 4, 48_000 / 44_100).slice(0, 44_100 / 4);
		const worst = Math.max(...out.map((value, i) => Math.abs(value - Math.sin((2 * Math.PI * 440 * i) / 44_100))));
		expect(worst).toBeLessThan(0.002);
	});
});
