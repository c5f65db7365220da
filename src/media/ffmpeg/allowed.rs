//! What ffmpeg is let decode.

use crate::media::sniff::MediaType;

/// ffmpeg's demuxer for a file of this type; `None` for what is never given to it. Playlists and
/// concat scripts, which name other files, are types of their own and have none.
pub const fn demuxer(media_type: MediaType) -> Option<&'static str> {
    Some(match media_type {
        MediaType::Mp4 | MediaType::Mov | MediaType::M4a => "mov",
        MediaType::Matroska | MediaType::Webm => "matroska",
        MediaType::Avi => "avi",
        MediaType::MpegTs => "mpegts",
        MediaType::MpegPs => "mpeg",
        MediaType::Flv => "flv",
        MediaType::Asf => "asf",
        MediaType::Wav => "wav",
        MediaType::Flac => "flac",
        MediaType::Mp3 => "mp3",
        MediaType::Ogg => "ogg",
        MediaType::Aac => "aac",
        MediaType::Aiff => "aiff",
        MediaType::Gif => "gif",
        // A WebP as what our own decoder makes of it.
        MediaType::Png | MediaType::Webp => "apng",
        _ => return None,
    })
}

/// Can reading of such a file begin in the middle, so that the same frames come out?
pub const fn is_seekable(media_type: MediaType) -> bool {
    matches!(media_type, MediaType::Mp4 | MediaType::Mov | MediaType::Matroska | MediaType::Webm)
}

/// The decoders that files may ask for: those in wide use. What is in a file is a stranger's.
pub const CODECS: &str = "h264,hevc,libdav1d,av1,libaom-av1,vp8,vp9,libvpx,libvpx-vp9,mpeg4,msmpeg4v3,msmpeg4v2,\
mpeg1video,mpeg2video,h263,flv,theora,prores,dnxhd,dvvideo,ffv1,huffyuv,ffvhuff,utvideo,rawvideo,v210,mjpeg,png,apng,\
gif,qtrle,wmv1,wmv2,wmv3,vc1,vp6,vp6f,cinepak,aac,mp3float,mp3,mp2float,mp2,mp1float,ac3,eac3,dca,truehd,opus,\
libopus,vorbis,libvorbis,flac,alac,speex,libspeex,wmav1,wmav2,amrnb,amrwb,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,\
pcm_s32le,pcm_s32be,pcm_u8,pcm_s8,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw,adpcm_ms,adpcm_ima_wav,\
adpcm_ima_qt,ape,wavpack,tta,gsm,gsm_ms,subrip,srt,ass,ssa,webvtt,mov_text,text,pgssub,dvdsub,dvbsub,xsub,cc_dec";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_other_files_has_no_demuxer() {
        for media_type in [MediaType::Playlist, MediaType::Text, MediaType::Octet, MediaType::Svg, MediaType::Pdf] {
            assert_eq!(demuxer(media_type), None);
        }
        assert_eq!(CODECS.split(',').count(), CODECS.split(',').collect::<std::collections::HashSet<_>>().len());
    }
}
