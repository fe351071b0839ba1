import { describe, expect, it } from 'vitest';
import type { PanicExit, StageTimes } from '$lib/protocol';
import { duration, stages } from './latency';
import { NOTHING } from './state';
import { ago, deviceChoices, exitName, hints, mergeExits, onAir } from './words';

const exit = (name: string, state: PanicExit['state']): PanicExit => ({ exit: name, state, latency_ms: 1, detail: '' });

describe('words', () => {
	it('says what viewers get; panic goes before mute, mute before live', () => {
		const panic = { panic_id: 'p', pressed_at: 1, by: 'page' };
		expect(onAir({ mode: 'live', muted: true, volume: 100, topics: true, panic, resumed_at: 0 }).word).toBe('Panic');
		expect(onAir({ mode: 'live', muted: true, volume: 100, topics: true, panic: null, resumed_at: 0 }).word).toBe('Muted');
		expect(onAir({ mode: 'live', muted: false, volume: 100, topics: true, panic: null, resumed_at: 0 }).word).toBe('On air');
		expect(onAir({ mode: 'standby', muted: false, volume: 100, topics: true, panic: null, resumed_at: 0 }).word).toBe('Standby');
	});

	it('offers the sound devices, and never hides the one that was chosen', () => {
		const device = { ...NOTHING.device, there: ['Box, ALSA', 'Phones, ALSA'], default: 'Box, ALSA' };
		const labels = (more: object) => deviceChoices({ ...device, ...more }).map((one) => one.label);
		expect(labels({})).toEqual(['Overlay or page', 'System default (Box, ALSA)', 'Box, ALSA', 'Phones, ALSA']);
		expect(labels({ chosen: 'Old, MME' }).at(-1)).toBe('Old, MME (not there)');
		expect(labels({ there: [], default: '', chosen: 'Old, MME', playing: 'Old, MME' })).toEqual(['Overlay or page', 'Old, MME']);
		expect(labels({ there: [], default: '', chosen: 'default' })).toEqual(['Overlay or page', 'System default']);
		expect(labels({ there: [], default: '' })).toEqual(['Overlay or page']);
	});

	it('never takes a confirmation back', () => {
		const merged = mergeExits([exit('voice', 'confirmed'), exit('brain', 'pending')], [exit('voice', 'late'), exit('brain', 'confirmed')]);
		expect(merged.map((one) => [one.exit, one.state])).toEqual([['voice', 'confirmed'], ['brain', 'confirmed']]);
	});

	it('names exits', () => {
		expect(['overlay:overlay-12ab', 'overlay:page-9', 'playout', 'obs', 'lamp'].map(exitName)).toEqual(['overlay 12ab', 'page 9', 'sound', 'OBS', 'lamp']);
	});

	it('tells time', () => {
		expect([0, 12, 200, 7300].map((s) => ago(0, s * 1000))).toEqual(['just now', '12 s ago', '3 min ago', '2 h ago']);
	});

	it('gives no hints about what is set up or not running', () => {
		expect(hints(NOTHING)).toEqual([]);
	});
});

describe('latency', () => {
	it('splits the way to the first sound', () => {
		const times: StageTimes = { gate_in_ms: 5, first_token_ms: 105, first_segment_ms: 205, first_chunk_ms: 265, first_audio_ms: 270, endpoint_ms: 0 };
		expect(stages(times).map((one) => one.ms)).toEqual([5, 100, 100, 60, 5]);
		const guessed = { ...times, gate_in_ms: -300, first_token_ms: -200, endpoint_ms: 640 };
		expect(stages(guessed).map((one) => one.ms)).toEqual([640, 205, 60, 5]);
	});

	it('leaves out what was not reached', () => {
		const times: StageTimes = { gate_in_ms: 5, first_token_ms: 0, first_segment_ms: 0, first_chunk_ms: 0, first_audio_ms: 0, endpoint_ms: 0 };
		expect(stages(times)).toEqual([{ name: 'gate', ms: 5 }]);
	});

	it('writes durations', () => {
		expect([84.6, 1240].map(duration)).toEqual(['85 ms', '1.24 s']);
	});
});
