/** The samples that wait to be heard. Pure: no clock, no audio API; runs inside the worklet. */

export const STREAM_RATE_HZ = 48_000;
export const TARGET = 0.06 * STREAM_RATE_HZ; // held back before the first sample is let out
export const LIMIT = 0.5 * STREAM_RATE_HZ; // more than this waiting: the listener has fallen behind, skip ahead
export const MAX_GAP = 0.2 * STREAM_RATE_HZ; // a longer hole is a pause of the show, not a lost frame
const RAMP = 64; // samples over which a cut fades, against clicks
const CONTIGUOUS = 48; // 1 ms

interface Chunk {
	start: number; // stream position of the first sample
	end: number;
	samples: Float32Array;
}

export class JitterBuffer {
	/** Stream position of the next sample to be read. */
	cursor = 0;
	underruns = 0;
	skipped = 0; // samples thrown away to catch up
	private chunks: Chunk[] = [];
	private state: 'idle' | 'priming' | 'playing' = 'idle';
	private waited = 0;
	private dryAt = -1; // where the sound ran out
	private last = 0; // last sample written

	get playing(): boolean {
		return this.state === 'playing';
	}

	/** Samples that wait. */
	get buffered(): number {
		const end = this.chunks.at(-1)?.end ?? this.cursor;
		return Math.max(0, end - this.cursor);
	}

	/** Add sound. `position`: stream samples at 48 kHz. */
	push(position: number, samples: Float32Array): void {
		if (samples.length === 0) return;
		const end = position + samples.length;
		const tail = this.chunks.at(-1);
		if (tail && position < tail.end - CONTIGUOUS) this.flush(); // the clock began anew
		if (this.state === 'idle') {
			if (this.dryAt >= 0 && Math.abs(position - this.dryAt) <= CONTIGUOUS) this.underruns++;
			this.state = 'priming';
			this.waited = 0;
			this.cursor = position;
		}
		this.chunks.push({ start: position, end, samples });
		if (this.buffered > LIMIT && this.state === 'playing') this.catchUp();
	}

	/** Write the next sound. `step`: stream samples per output sample. */
	read(out: Float32Array, step: number): void {
		if (this.state === 'priming') {
			this.waited += out.length * step;
			if (this.buffered >= TARGET || this.waited >= TARGET) this.state = 'playing';
		}
		let index = 0;
		while (this.state === 'playing' && index < out.length) {
			const value = this.sample();
			if (value === null) {
				this.state = 'idle';
				this.dryAt = this.cursor;
				break;
			}
			this.last = value;
			out[index++] = value;
			this.cursor += step;
		}
		this.fade(out, index);
	}

	/** Forget everything. The next sample that is read is silence (after a ramp shorter than one quantum). */
	flush(): void {
		this.chunks = [];
		this.state = 'idle';
		this.dryAt = -1;
	}

	private sample(): number | null {
		while (this.chunks[0] && this.cursor >= this.chunks[0].end) this.chunks.shift();
		const chunk = this.chunks[0];
		if (!chunk) return null;
		if (this.cursor < chunk.start) {
			if (chunk.start - this.cursor <= MAX_GAP) return 0; // a lost frame: as long a silence
			this.cursor = chunk.start;
		}
		const offset = this.cursor - chunk.start;
		const whole = Math.floor(offset);
		const here = chunk.samples[whole] ?? 0;
		const part = offset - whole;
		if (part === 0) return here;
		return here + (this.after(chunk, whole) - here) * part;
	}

	private after(chunk: Chunk, index: number): number {
		if (index + 1 < chunk.samples.length) return chunk.samples[index + 1] ?? 0;
		const next = this.chunks[1];
		return next && next.start - chunk.end <= CONTIGUOUS ? (next.samples[0] ?? 0) : (chunk.samples[index] ?? 0);
	}

	private fade(out: Float32Array, from: number): void {
		const left = out.length - from;
		const ramp = Math.min(RAMP, left);
		for (let i = 0; i < left; i++) out[from + i] = i < ramp ? this.last * (1 - (i + 1) / ramp) : 0;
		if (left > 0) this.last = 0;
	}

	private catchUp(): void {
		const before = this.cursor;
		this.cursor = (this.chunks.at(-1)?.end ?? this.cursor) - TARGET;
		this.skipped += this.cursor - before;
	}
}
