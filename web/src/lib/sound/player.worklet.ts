/** Runs on the audio thread: lets out what the jitter buffer holds, and says how far it got. */
import { JitterBuffer, STREAM_RATE_HZ } from './jitter';

export type ToPlayer = { push: number; samples: Float32Array } | { flush: number };
export type FromPlayer =
	| { flushed: number }
	| { cursor: number; time: number; playing: boolean; underruns: number };

const REPORT_EVERY = 8; // quanta: 21 ms at 48 kHz

class PlayerProcessor extends AudioWorkletProcessor {
	private buffer = new JitterBuffer();
	private quanta = 0;

	constructor() {
		super();
		this.port.onmessage = ({ data }: MessageEvent<ToPlayer>) => {
			if ('flush' in data) {
				this.buffer.flush();
				this.tell({ flushed: data.flush });
			} else {
				this.buffer.push(data.push, data.samples);
			}
		};
	}

	process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
		const [first, ...others] = outputs[0] ?? [];
		if (first) {
			this.buffer.read(first, STREAM_RATE_HZ / sampleRate);
			for (const channel of others) channel.set(first);
			if (++this.quanta % REPORT_EVERY === 0) this.report(first.length);
		}
		return true;
	}

	private report(length: number): void {
		const { cursor, playing, underruns } = this.buffer;
		this.tell({ cursor, time: currentTime + length / sampleRate, playing, underruns });
	}

	private tell(message: FromPlayer): void {
		this.port.postMessage(message);
	}
}

registerProcessor('kitsu-player', PlayerProcessor);
