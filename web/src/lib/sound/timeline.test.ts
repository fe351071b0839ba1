import { describe, expect, it } from 'vitest';
import type { PlayoutFrame } from '$lib/protocol';
import { TARGET } from './jitter';
import { FrameClock, Timeline } from './timeline';

function frame(position: number, more: Partial<PlayoutFrame> = {}): PlayoutFrame {
	return { position, samples: 960, turn_id: 't', visemes: [], words: [], ...more } as PlayoutFrame;
}

describe('Timeline', () => {
	it('shows a mouth shape from its position on', () => {
		const timeline = new Timeline();
		timeline.add(frame(1000, { visemes: [{ at: 10, viseme: 'aa' }, { at: 500, viseme: 'PP' }] }));
		expect(timeline.viseme(1009)).toBe('sil');
		expect(timeline.viseme(1010)).toBe('aa');
		expect(timeline.viseme(1499)).toBe('aa');
		expect(timeline.viseme(1500)).toBe('PP');
	});

	it('closes the mouth when nobody does', () => {
		const timeline = new Timeline();
		timeline.add(frame(0, { visemes: [{ at: 0, viseme: 'aa' }] }));
		expect(timeline.viseme(900)).toBe('aa');
		expect(timeline.viseme(30_000)).toBe('sil');
	});

	it('gives each word once, when it begins', () => {
		const timeline = new Timeline();
		timeline.add(frame(0, { words: [{ at: 0, segment: 0, start: 0, end: 5 }, { at: 900, segment: 0, start: 6, end: 9 }] }));
		expect(timeline.spoken(10).map((word) => word.end)).toEqual([5]);
		expect(timeline.spoken(20)).toEqual([]);
		expect(timeline.spoken(900).map((word) => word.end)).toEqual([9]);
	});

	it('forgets everything when the clock begins anew', () => {
		const timeline = new Timeline();
		timeline.add(frame(10_000_000, { visemes: [{ at: 0, viseme: 'aa' }] }));
		timeline.add(frame(0, { visemes: [{ at: 0, viseme: 'E' }] }));
		expect(timeline.viseme(5)).toBe('E');
	});
});

describe('FrameClock', () => {
	it('runs from frame to frame, a jitter buffer behind', () => {
		const clock = new FrameClock();
		expect(clock.position(0)).toBeNull();
		clock.add(frame(48_000), 1000);
		expect(clock.position(1000)).toBe(48_000 - TARGET);
		clock.add(frame(48_960), 1033);
		expect(clock.position(1060)).toBe(48_000 - TARGET + 60 * 48);
	});

	it('stops after the last frame', () => {
		const clock = new FrameClock();
		clock.add(frame(0), 0);
		expect(clock.position(2000)).toBeNull();
	});

	it('jumps over a pause', () => {
		const clock = new FrameClock();
		clock.add(frame(0), 0);
		clock.add(frame(960_000), 20_000);
		expect(clock.position(20_060)).toBe(960_000);
	});
});
