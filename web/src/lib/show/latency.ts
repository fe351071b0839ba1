/** Where the time to the first sound went. Pure. */
import type { StageTimes } from '$lib/protocol';

export const TARGET_MS = 1200; // chat text -> spoken audio

export interface Stage {
	name: string;
	ms: number;
}

const STAGES: [keyof StageTimes, string][] = [
	['gate_in_ms', 'gate'],
	['first_token_ms', 'thinking'],
	['first_segment_ms', 'first clause'],
	['first_chunk_ms', 'voice'],
	['first_audio_ms', 'sound']
];

/** Time spent in each stage; stages that were not reached are left out, and those that were reached before the line came. */
export function stages(times: StageTimes): Stage[] {
	let before = 0;
	const found: Stage[] = [];
	if (times.endpoint_ms > 0) found.push({ name: 'listening', ms: times.endpoint_ms });
	for (const [key, name] of STAGES) {
		if (times[key] <= 0) continue;
		found.push({ name, ms: Math.max(0, times[key] - before) });
		before = Math.max(before, times[key]);
	}
	return found;
}

/** "85 ms", "1.24 s". */
export function duration(ms: number): string {
	return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}
