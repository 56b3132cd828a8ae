import { digits, expects } from './cases.ts'
import type { Case, VectorFile } from './cases.ts'

/**
 * `noise.json`: handshakes of other implementations of Noise with the ciphers of ours, so that what recomputes our
 * handshakes is known to be Noise. The first is from vectors/cacophony.txt of github.com/haskell-cryptography/cacophony
 * (commit 8ee9d41), in the public domain; the second from tests/vectors/snow.txt of github.com/mcginty/snow
 * (commit 8ac60f5). XKpsk0+psk3 is XKpsk0, which nobody publishes alone, with one key more behind the last message.
 */
export function noiseFile(): VectorFile {
  return { handshake: [kkPsk0(), xkPsk0Psk3()] }
}

function kkPsk0(): Case {
  return expects(
    {
      protocol: 'Noise_KKpsk0_25519_ChaChaPoly_SHA256',
      prologue: digits('4a6f686e2047616c74'),
      psks: [digits('54686973206973206d7920417573747269616e20706572737065637469766521')],
      secrets: {
        si: digits('e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1'),
        ei: digits('893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a'),
        sr: digits('4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893'),
        er: digits('bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b')
      },
      payloads: [
        digits('4c756477696720766f6e204d69736573'),
        digits('4d757272617920526f746862617264')
      ]
    },
    {
      messages: [
        digits(
          'ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c794423f19812300a6051f02195db0722909f' +
            'c920796814cfc886ab3a8083c66a5961'
        ),
        digits(
          '95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f14480884320acfe866b4ede922f007d89dbf50721' +
            '6d6aa8646c7fba098da374b1784d4b'
        )
      ],
      handshakeHash: digits('32afcdbb63cf90f25409090bc11f7546c534dfb03f37c1626a0cf758881e746f')
    }
  )
}

function xkPsk0Psk3(): Case {
  return expects(
    {
      protocol: 'Noise_XKpsk0+psk3_25519_ChaChaPoly_SHA256',
      prologue: digits(
        '5468657265206973206e6f20726967687420616e642077726f6e672e2054686572652773206f6e6c792066756e20616e' +
          '6420626f72696e672e'
      ),
      psks: [
        digits('d6cd9a4f53e3db85ac65516bf11e5ef543bd8fab445377d78b1939d216953b00'),
        digits('e4d8ee32a8abae2bfe6de04a93153574524e3801fcc164628c114c3a375880f6')
      ],
      secrets: {
        si: digits('a8ecedb80ce6ca5d8cf1ca47036aff71024d4afe7a24a29283b9445fefdea8cb'),
        ei: digits('ef45d064ec58f61745cc979e0cb0605264f31216fded73692abe87adfdcee0df'),
        sr: digits('ab1369c0721ec8905febd1b3883031c99146bc3161b7d95411539088d83ea74d'),
        er: digits('050f17276baa521e0722af14709a19633212279a5a50673f26c2b29bcf44b75e')
      },
      payloads: [
        digits('e7ab4b1a7916f018101810e049bb0e8664df86e36bfe458f7bb8ebce06a92c5b'),
        digits('f8074f1a9a0a3d8c18ad0f1af0773823416dd22a93c08abe3b99dbe77b35ba3a'),
        digits('52875b289969bd68c4775a50d0910fa33193d65953da9d738760a487dac66f61')
      ]
    },
    {
      messages: [
        digits(
          'ee0ab62e2724da5c55185ca48abfa291b9b191e6433f1ae2eb601d5dbe27f97eeed071617a5cec10b4467cc329c415f6' +
            '89bdb4190dcb40e78d6c1aea48863f1444dd8f9df9599cbe5144cd2db7fc0381'
        ),
        digits(
          'c847e9a93864341370c81f11b622c9718b777b723622e59c6f324751f6e13733b67670759783e02af2d8aa9c0e2fd0d4' +
            '69545ab1c6fd469f1a74cd5d82d8c11cb1a7889ec7d170fbd5b740fb9ed246a2'
        ),
        digits(
          '29cae008cdc015f32fe8c7a571b9aff9f638526f8b3b68366769081f93cfc08a8c16025367082450566b1d867e374ba0' +
            '51e020d6b1acb1a934eae13d97af155bd6cc3b2eb9de35cfcb6c351a739144fa1447a3e9e547684c0f5b6e0377e33512'
        )
      ]
    }
  )
}
