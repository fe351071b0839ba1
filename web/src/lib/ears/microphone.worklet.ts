/** Runs on the audio thread: hands on what the microphone hears, as s16le in pieces of 20 ms. */
const PIECE_S = 0.02;

class MicrophoneProcessor extends AudioWorkletProcessor {
	private piece = new Int16Array(Math.round(sampleRate * PIECE_S));
	private filled = 0;

	process(inputs: Float32Array[][]): boolean {
		const channel = inputs[0]?.[0];
		if (!channel) return true;
		for (const sample of channel) {
			this.piece[this.filled++] = Math.max(-1, Math.min(1, sample)) * 32767;
			if (this.filled === this.piece.length) this.hand();
		}
		return true;
	}

	private hand(): void {
		const pcm = this.piece.buffer;
		this.piece = new Int16Array(this.piece.length);
		this.filled = 0;
		this.port.postMessage(pcm, [pcm]);
	}
}

registerProcessor('kitsu-microphone', MicrophoneProcessor);
