# Written by tools/generate.py from the kinds: change those, not this.
from olm.kinds.adaptive import KLAdaptive as _KLAdaptive
from olm.kinds.constant import Constant as _Constant
from olm.kinds.continuing import Continue as _Continue
from olm.kinds.cosine import CosineAnnealing as _CosineAnnealing
from olm.kinds.cyclic import Cyclic as _Cyclic
from olm.kinds.cyclic import OneCycle as _OneCycle
from olm.kinds.decays import FlatCosine as _FlatCosine
from olm.kinds.decays import Rex as _Rex
from olm.kinds.decays import Tanh as _Tanh
from olm.kinds.hold import Hold as _Hold
from olm.kinds.hold import Table as _Table
from olm.kinds.linear import Linear as _Linear
from olm.kinds.linear import LinearDecay as _LinearDecay
from olm.kinds.newbob import NewBob as _NewBob
from olm.kinds.phases import Phases as _Phases
from olm.kinds.plateau import Plateau as _Plateau
from olm.kinds.polynomial import Polynomial as _Polynomial
from olm.kinds.power import InverseSqrt as _InverseSqrt
from olm.kinds.power import Noam as _Noam
from olm.kinds.power import Power as _Power
from olm.kinds.product import Chained as _Chained
from olm.kinds.product import Maximum as _Maximum
from olm.kinds.product import Minimum as _Minimum
from olm.kinds.ramp import LinearFactor as _LinearFactor
from olm.kinds.ramp import Ramp as _Ramp
from olm.kinds.repeat import Repeat as _Repeat
from olm.kinds.restarts import CosineWarmRestarts as _CosineWarmRestarts
from olm.kinds.sequence import Sequential as _Sequential
from olm.kinds.step import Exponential as _Exponential
from olm.kinds.step import MultiStep as _MultiStep
from olm.kinds.step import Step as _Step
from olm.kinds.time import Time as _Time
from olm.kinds.warmup import Warmup as _Warmup
from olm.kinds.warmup import WarmupCosine as _WarmupCosine
from olm.kinds.warmup_decay import TriStage as _TriStage
from olm.kinds.warmup_decay import WarmupDecay as _WarmupDecay
from olm.kinds.warmup_decay import WarmupStableDecay as _WarmupStableDecay
from olm.schedule.schedule import KINDS as KINDS

GROUPS: tuple[str, ...]
KLAdaptiveLR = _KLAdaptive
ConstantLR = _Constant
ContinueLR = _Continue
CosineAnnealingLR = _CosineAnnealing
CyclicLR = _Cyclic
OneCycleLR = _OneCycle
FlatCosineLR = _FlatCosine
RexLR = _Rex
TanhLR = _Tanh
HoldLR = _Hold
TableLR = _Table
LinearLR = _Linear
LinearDecayLR = _LinearDecay
NewBobLR = _NewBob
PhasesLR = _Phases
ReduceLROnPlateau = _Plateau
PolynomialLR = _Polynomial
PowerLR = _Power
InverseSqrtLR = _InverseSqrt
NoamLR = _Noam
ChainedScheduler = _Chained
MinimumLR = _Minimum
MaximumLR = _Maximum
RampLR = _Ramp
LinearFactorLR = _LinearFactor
RepeatLR = _Repeat
CosineAnnealingWarmRestarts = _CosineWarmRestarts
SequentialLR = _Sequential
StepLR = _Step
MultiStepLR = _MultiStep
ExponentialLR = _Exponential
TimeLR = _Time
WarmupLR = _Warmup
WarmupCosineScheduler = _WarmupCosine
WarmupDecayLR = _WarmupDecay
WarmupStableDecayLR = _WarmupStableDecay
TriStageLR = _TriStage
