/** What belongs to which stream position: words and mouth shapes. Pure. */
import type { PlayoutFrame, VisemeName } from '$lib/protocol';
import { STREAM_RATE_HZ, TARGET } from './jitter';

const KEEP = 2 * STREAM_RATE_HZ; // behind the position
const MOUTH_HOLDS = 0.4 * STREAM_RATE_HZ; // a shape that nobody ends closes by itself

interface Mark {
	at: number;
	viseme: VisemeName;
}

export interface Word {
	at: number;
	turn: string;
	segment: number;
	start: number; // code point indexes into the caption
	end: number;
}

export class Timeline {
	private visemes: Mark[] = [];
	private words: Word[] = [];
	private end = 0;

	/** Take in a frame's header. */
	add(frame: PlayoutFrame): void {
		if (frame.position < this.end - STREAM_RATE_HZ) this.clear(); // the clock began anew
		this.end = Math.max(this.end, frame.position + frame.samples);
		for (const one of frame.visemes) this.visemes.push({ at: frame.position + one.at, viseme: one.viseme });
		for (const one of frame.words) {
			this.words.push({
				at: frame.position + one.at,
				turn: frame.turn_id,
				segment: one.segment,
				start: one.start,
				end: one.end
			});
		}
	}

	/** The mouth at a position. */
	viseme(position: number): VisemeName {
		while (this.visemes[1] && this.visemes[1].at <= position) this.visemes.shift();
		const now = this.visemes[0];
		if (!now || now.at > position) return 'sil';
		return position - now.at > MOUTH_HOLDS && position > this.end ? 'sil' : now.viseme;
	}

	/** Words that began to sound since the last call. */
	spoken(position: number): Word[] {
		const begun = this.words.filter((word) => word.at <= position);
		this.words = this.words.filter((word) => word.at > position && word.at < position + KEEP);
		return begun;
	}

	clear(): void {
		this.visemes = [];
		this.words = [];
		this.end = 0;
	}
}

/** Where the show is for a page that plays no sound itself: frames say it, the page's clock fills the time between. */
export class FrameClock {
	private base = 0; // stream position …
	private baseAt = 0; // … at this time, ms
	private end = 0;
	private running = false;

	/** A frame came. `now`: ms. */
	add(frame: { position: number; samples: number }, now: number): void {
		const here = this.position(now);
		const fits = here !== null && Math.abs(frame.position - here) < STREAM_RATE_HZ / 2;
		if (!fits) {
			this.base = frame.position - TARGET;
			this.baseAt = now;
			this.running = true;
		}
		this.end = frame.position + frame.samples;
	}

	/** Stream position at `now` (ms); null when nothing plays. */
	position(now: number): number | null {
		if (!this.running) return null;
		const position = this.base + ((now - this.baseAt) * STREAM_RATE_HZ) / 1000;
		return position > this.end + STREAM_RATE_HZ / 2 ? null : position;
	}

	stop(): void {
		this.running = false;
	}
}
